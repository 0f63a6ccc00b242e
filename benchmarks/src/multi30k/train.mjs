/** Trains one model for a budget of processor time, and translates the test set: `node train.mjs '{"key":"emha",…}'`. Goes on where it stopped. */

import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  adamW,
  checkpointEvery,
  countParameters,
  initialise,
  schedule,
  sequenceToSequence,
  train,
  parametersIn,
} from '@heddle/core';
import { atomicWriteFile, checkpointFolder } from '@heddle/core/node';
import { openOnnx } from '@heddle/backend-onnx';
import { bleu, corpusScore } from '@heddle/eval-text';
import { encodePairs, pairBatches } from '@heddle/text';
import { createBeamSearch, createGenerator } from '@heddle/transformer';
import { lastValueFrom, tap } from 'rxjs';
import { createModel, data, host, tokenizerIn } from './setting.mjs';

const { key, seed, minutes, folder: root, every, tokens, few = null } = JSON.parse(process.argv[2]);
const folder = join(root, `${key}-${seed}`);
mkdirSync(folder, { recursive: true });
const all = data();
/** A few of each to try the program with. */
const [training, validation, test] = [all.training, all.validation, all.test].map((pairs, i) =>
  few === null ? pairs : pairs.slice(0, i === 0 ? 20 * few : few),
);
const tokenizer = await tokenizerIn(root, training);
const encoded = encodePairs(training, { tokenizer, longest: 64 });
const { begin, end } = encoded.ends;
const model = createModel(key, tokenizer.vocabularySize);
const backend = await openOnnx({ threads: 1 });
const { kernels } = host;
const options = { model, backend, kernels, batch: 32, capacity: 64, sourceCapacity: 64 };

const sourcesOf = pairs => pairs.map(({ source }) => [...tokenizer.encode(source).slice(0, 63), end]);
const scoreOf = (found, pairs) => corpusScore(bleu(), found, [pairs.map(({ target }) => target)]).score.score;
const greedy = async (params, pairs) => {
  const generator = createGenerator({ ...options, params });
  const found = await generator.complete(
    pairs.map(() => [begin]),
    { sources: sourcesOf(pairs), stop: [end], temperature: 0, maxTokens: 60 },
  );
  await generator.close();
  return found.map(({ ids }) => tokenizer.decode(ids));
};

const curvePath = join(folder, 'curve.jsonl');
const store = checkpointFolder(join(folder, 'checkpoints'), { keep: 1 });
const resume = await store.latest();
const known = (existsSync(curvePath) ? readFileSync(curvePath, 'utf8').trim().split('\n') : [])
  .filter(Boolean)
  .map(line => JSON.parse(line))
  .filter(({ step }) => step <= (resume?.step ?? 0));
writeFileSync(curvePath, known.map(line => `${JSON.stringify(line)}\n`).join(''));

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
let spent = known.at(-1)?.cpuSeconds ?? 0; // processor time of training alone
let seen = known.at(-1)?.tokens ?? 0;
let mark = cpu();
let losses = [];
const budget = minutes * 60;
if (spent < budget)
  await lastValueFrom(
    train({
      name: `${key} ${seed}`,
      model,
      objective: sequenceToSequence({ labelSmoothing: 0.1 }),
      optimizer: adamW({ weightDecay: 0.01 }),
      schedule: schedule.inverseSqrt(2e-3, { warmUp: 400 }),
      data: pairBatches([encoded], { tokens, buckets: 5, seed }),
      backend,
      kernels,
      steps: 10_000_000,
      seed,
      initial: initialise(model, seed),
      clip: 1,
      resume,
      config: { key, seed, tokens },
    }).pipe(
      tap(event => {
        if (event.type !== 'step.finished') return;
        spent += cpu() - mark;
        seen += event.tokens;
        losses.push(event.metrics.nll ?? event.loss);
        const measure = async () => {
          const params = parametersIn((await event.snapshot()).tensors);
          const score = scoreOf(await greedy(params, validation), validation);
          const nll = losses.reduce((sum, x) => sum + x, 0) / losses.length;
          losses = [];
          const line = { step: event.step, tokens: seen, cpuSeconds: spent, nll, bleu: score };
          appendFileSync(curvePath, `${JSON.stringify(line)}\n`);
          process.stderr.write(
            `  ${key} ${seed}: step ${event.step}, ${Math.round(spent)} of ${budget} s, nll ${nll.toFixed(3)}, BLEU ${score.toFixed(1)}\n`,
          );
          if (spent >= budget) event.stop();
        };
        mark = cpu();
        if (event.step % every === 0) event.waitUntil(measure().finally(() => (mark = cpu()))); // measuring is no training
      }),
      checkpointEvery(every, store),
      tap(({ type }) => {
        if (type === 'checkpoint.saved') mark = cpu();
      }),
    ),
  );

const params = parametersIn((await store.latest()).tensors);
const started = cpu();
const search = createBeamSearch({ ...options, params, batch: 16, beams: 4 });
const found = await search.complete(
  test.map(() => [begin]),
  { sources: sourcesOf(test), stop: [end], maxTokens: 60 },
);
await search.close();
const hypotheses = found.map(([best]) => tokenizer.decode(best.ids));
const searching = cpu() - started;
const result = {
  key,
  seed,
  parameters: countParameters(model),
  searchSeconds: searching,
  bleu: scoreOf(hypotheses, test),
  hypotheses,
};
await atomicWriteFile(join(folder, 'result.json'), `${JSON.stringify(result)}\n`);
process.stderr.write(`  ${key} ${seed}: test BLEU ${result.bleu.toFixed(2)}, beam 4 in ${Math.round(searching)} s\n`);
await backend.close();
