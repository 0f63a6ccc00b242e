/** Batches of pairs, as `@heddle/text` makes them, through the trainer: several shapes, any engine, and a run that goes on. */

import {
  adamW,
  affine,
  crossEntropy,
  defineLayer,
  embedding,
  i32,
  f32,
  relu,
  train,
  type Backend,
  type Checkpoint,
  type Objective,
  type Tensor,
  type TrainPlan,
} from '@heddle/core';
import { encodePairs, generatePairs, pairBatches, trainBpe } from '@heddle/text';
import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { everyBackend, present } from './support/backends.js';

const { pairs } = generatePairs({ count: 300, seed: 3 });
const tokenizer = trainBpe(
  pairs.flatMap(({ source, target }) => [source, target]),
  { vocabularySize: 400 },
);
const encoded = encodePairs(pairs, { tokenizer });
const open = () => pairBatches([encoded], { tokens: 160, buckets: 3, seed: 5 });

/** The next word out of the last one and the mean of the source: the least that reads every tensor of a batch. */
const model = defineLayer({
  name: 'pairs',
  params: {
    left: embedding(tokenizer.vocabularySize, 16),
    right: embedding(tokenizer.vocabularySize, 16),
    up: affine(16, 32),
    head: affine(32, tokenizer.vocabularySize),
  },
  apply({ left, right, up, head }, source: Tensor, sourceMask: Tensor, ids: Tensor): Tensor {
    const [B, S] = source.shape as [number, number];
    const weight = sourceMask.reshape(B, S, 1);
    const mean = left(source).mul(weight).sum(1).div(weight.sum(1)); // [B, 16]
    return head(relu(up(right(ids).add(mean.reshape(B, 1, 16)))));
  },
});

const objective: Objective = {
  name: 'pairs',
  batch: (batch, length) => ({
    source: i32(batch, length),
    sourceMask: f32(batch, length),
    ids: i32(batch, length),
    targets: i32(batch, length),
    mask: f32(batch, length),
  }),
  loss(bound, { source, sourceMask, ids, targets, mask }) {
    const logits = (bound as unknown as (...inputs: Tensor[]) => Tensor)(source!, sourceMask!, ids!);
    return crossEntropy(logits.reshape(-1, logits.shape.at(-1)!), targets!.reshape(-1), mask!.reshape(-1));
  },
};

async function run(backend: Backend, steps: number, resume?: Checkpoint) {
  const plan: TrainPlan = {
    name: 'pairs',
    model,
    objective,
    optimizer: adamW(),
    schedule: () => 0.02,
    data: open(),
    backend,
    steps,
    seed: 1,
    ...(resume ? { resume } : {}),
  };
  const losses: number[] = [];
  let last: Promise<Checkpoint> | undefined;
  await lastValueFrom(
    train(plan).pipe(
      tap(event => {
        if (event.type === 'step.finished') losses.push(event.loss);
        if (event.type === 'run.finished') event.waitUntil((last = event.snapshot()));
      }),
    ),
  );
  return { losses, checkpoint: await last! };
}

describe.each(present(everyBackend))('$name', ({ open: openBackend }) => {
  it('trains on pairs in several shapes, and goes on where it was', { timeout: 120_000 }, async () => {
    expect(open().shapes.length).toBeGreaterThan(1);
    const backend = await openBackend();
    try {
      const whole = await run(backend, 24);
      const half = await run(backend, 11);
      const rest = await run(backend, 24, half.checkpoint);
      expect([...half.losses, ...rest.losses]).toEqual(whole.losses);
      expect(rest.checkpoint.meta.cursor).toEqual(whole.checkpoint.meta.cursor);
      expect(whole.losses.at(-1)!).toBeLessThan(0.8 * whole.losses[0]!);
      expect(backend.live()).toBe(0);
    } finally {
      await backend.close();
    }
  });
});
