/** Train a tiny model on a string; what happens beside training is piped onto its events. Run: node examples/dist/train.js */

import { adamW, createHost, evaluateEvery, lossBelow, nextToken, schedule, stopWhen, train } from '@heddle/core';
import { byteTokenizer, packDocuments, packedBatches } from '@heddle/text';
import { createDecoder } from '@heddle/transformer';
import { filter, lastValueFrom, tap } from 'rxjs';

const text = 'warp and weft, '.repeat(60);
const tokenizer = byteTokenizer();
const tokens = packDocuments([{ name: 'rhyme', text }], tokenizer);

const app = createHost();
const { backend } = await app.openBackend('reference');
const model = createDecoder({ vocabulary: tokenizer.vocabularySize, length: 16, width: 16, depth: 1, heads: 2 });

const events = train({
  name: 'rhyme',
  model,
  objective: nextToken(),
  optimizer: adamW(),
  schedule: schedule.cosine(0.02, { warmUp: 5, total: 60 }),
  data: packedBatches(tokens, { batch: 4, length: 16, seed: 1 }),
  backend,
  kernels: app.kernels,
  steps: 60,
  clip: 1,
});

// Subscribing starts the run, unsubscribing ends it; an operator may hold the next step up until it is done.
await lastValueFrom(
  events.pipe(
    stopWhen(lossBelow(0.5)),
    evaluateEvery(20, async ({ loss }) => ({ perplexity: Math.exp(loss) })),
    tap(event => {
      if (event.type === 'run.started') console.log(`${event.parameters} parameters on ${event.backend}`);
      if (event.type === 'evaluation.finished')
        console.log(`step ${event.step}: perplexity ${event.scores['perplexity']!.toFixed(1)}`);
      if (event.type === 'run.finished') console.log(`${event.reason} at step ${event.step}`);
    }),
    filter(event => event.type === 'run.finished'),
  ),
);
await app.close();
