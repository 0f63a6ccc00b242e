/**
 * Trains a tiny model, saving after every step, and goes on from the newest checkpoint if there is one.
 *
 * node tests/kill/train.mjs --folder FOLDER [--steps 12] [--engine onnx|reference] [--rate 0.1]
 *
 * Says `resumed from step N`, then `step N` as each is saved.
 */

import { parseArgs } from 'node:util';
import { lastValueFrom, tap } from 'rxjs';
import {
  adamW,
  affine,
  checkpointEvery,
  defineLayer,
  dropout,
  embedding,
  linear,
  nextToken,
  openReference,
  silu,
  train,
  uniforms,
} from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import { openOnnx } from '@heddle/backend-onnx';

const { values } = parseArgs({
  options: {
    folder: { type: 'string' },
    steps: { type: 'string', default: '12' },
    engine: { type: 'string', default: 'onnx' },
    rate: { type: 'string', default: '0.1' },
  },
});
if (values.folder === undefined) throw new Error('--folder: expected a folder, received nothing');

const [V, D] = [11, 8];

const model = defineLayer({
  name: 'tiny',
  params: {
    embed: embedding(V, D),
    up: affine(D, 2 * D),
    drop: dropout(Number(values.rate)),
    down: linear(2 * D, V),
  },
  apply: ({ embed, up, drop, down }, ids) => down(drop(silu(up(embed(ids))))),
});

/** Batches by number; the cursor is the number of the next one. */
function batches() {
  let at = 0;
  return {
    async next() {
      const draw = uniforms(at++, 5);
      const [B, T] = [2, 6];
      const ids = Int32Array.from({ length: B * T }, () => Math.floor(V * draw()));
      const batch = {
        ids: { dtype: 'i32', shape: [B, T], data: ids },
        targets: { dtype: 'i32', shape: [B, T], data: ids.map(id => (id * 3 + 1) % V) },
        mask: { dtype: 'f32', shape: [B, T], data: new Float32Array(B * T).fill(1) },
      };
      return { batch, tokens: B * T, cursor: at };
    },
    async seek(cursor) {
      at = cursor;
    },
    async close() {},
  };
}

const store = checkpointFolder(values.folder);
const resume = await store.latest();
if (resume) console.log(`resumed from step ${resume.step}`);
const backend = values.engine === 'onnx' ? await openOnnx({ threads: 1 }) : openReference();
const events = train({
  name: 'kill',
  model,
  objective: nextToken(),
  optimizer: adamW(),
  schedule: () => 1e-2,
  data: batches(),
  backend,
  steps: Number(values.steps),
  seed: 3,
  resume,
  config: { rate: values.rate },
});
await lastValueFrom(
  events.pipe(
    checkpointEvery(1, store),
    tap(event => {
      if (event.type === 'checkpoint.saved') console.log(`step ${event.step}`);
    }),
  ),
);
await backend.close();
console.log('done');
