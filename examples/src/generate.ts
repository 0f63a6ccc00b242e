/** Text as it is made, and a Stop: unsubscribing ends it after the token that is under way. Run: node examples/dist/generate.js */

import { adamW, createHost, nextToken, schedule, train, type Checkpoint } from '@heddle/core';
import onnx from '@heddle/backend-onnx';
import { byteTokenizer, packDocuments, packedBatches } from '@heddle/text';
import { createDecoder, createGenerator } from '@heddle/transformer';
import { filter, lastValueFrom, takeWhile, tap } from 'rxjs';

const tokenizer = byteTokenizer();
const tokens = packDocuments(
  [{ name: 'loom', text: 'the heddle lifts the warp. the weft goes through. '.repeat(40) }],
  tokenizer,
);
const model = createDecoder({ vocabulary: tokenizer.vocabularySize, length: 128, width: 32, depth: 1, heads: 2 });

// The fastest engine that runs here; the reference if there is no other.
const app = createHost({ plugins: [onnx] });
const { backend } = await app.openBackend('auto');
const plan = {
  name: 'loom',
  model,
  objective: nextToken(),
  optimizer: adamW(),
  schedule: schedule.constant(0.01),
  backend,
  kernels: app.kernels,
  clip: 1,
  steps: backend.name === 'reference' ? 30 : 150,
  data: packedBatches(tokens, { batch: 8, length: 32 }),
};
let trained: Checkpoint | undefined;
await lastValueFrom(
  train(plan).pipe(
    tap(event => {
      // The state is there until whoever asked for it has it.
      if (event.type === 'run.finished') event.waitUntil(event.snapshot().then(snapshot => (trained = snapshot)));
    }),
  ),
);

const parameters = Object.entries(trained!.tensors).flatMap(([name, tensor]) =>
  name.startsWith('params.') ? [[name.slice(7), tensor] as const] : [],
);
const generator = createGenerator({ model, params: Object.fromEntries(parameters), backend, kernels: app.kernels });
process.stdout.write(`${backend.name} writes: the `);
let sentences = 0;
await lastValueFrom(
  generator
    .generate([tokenizer.encode('the ')], { maxTokens: 100, temperature: 0, decoder: () => tokenizer.decoder() })
    .pipe(
      filter(event => event.type === 'token'),
      takeWhile(({ text = '' }) => {
        process.stdout.write(text);
        if (text.includes('.')) sentences++;
        return sentences < 2; // as a Stop button would: the generator ends with its subscription
      }),
    ),
  { defaultValue: null },
);
console.log('\nstopped after two sentences');
await generator.close();
await app.close();
