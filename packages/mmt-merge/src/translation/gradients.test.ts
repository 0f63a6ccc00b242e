/** Cosines of gradients against gradients by hand. */

import { f32, full, linear, openReference, uniforms, type Batches, type Objective } from '@heddle/core';
import { expect, it } from 'vitest';
import { gradientCosines } from './gradients.js';

const squaredError: Objective = {
  name: 'squaredError',
  batch: size => ({ x: f32(size, 2), y: f32(size, 1) }),
  loss: (model, { x, y }) => ({ sum: model(x!).sub(y!).square().sum(), count: full([], 1) }),
};

const weight = [0.5, -1.5] as const;

/** Batches of sizes 3, 1, 3, …, and the gradient of all of `count`: the sum of 2 x (x w - y). */
function drawn(seed: number, count: number, closed: number[]) {
  const draw = uniforms(seed, 1);
  const batches = Array.from({ length: count }, (_, i) => {
    const size = i % 2 === 0 ? 3 : 1;
    const numbers = (n: number) => Float32Array.from({ length: n }, () => 2 * draw() - 1);
    return { size, x: numbers(2 * size), y: numbers(size) };
  });
  const gradient = [0, 0];
  for (const { size, x, y } of batches)
    for (let i = 0; i < size; i++) {
      const error = weight[0] * x[2 * i]! + weight[1] * x[2 * i + 1]! - y[i]!;
      for (const k of [0, 1] as const) gradient[k]! += 2 * error * x[2 * i + k]!;
    }
  let at = 0;
  const source: Batches = {
    async next() {
      const found = batches[at++];
      if (!found) return null;
      const { size, x, y } = found;
      return { batch: { x: { dtype: 'f32', shape: [size, 2], data: x }, y: { dtype: 'f32', shape: [size, 1], data: y } }, tokens: size, cursor: null }; // prettier-ignore
    },
    async seek() {},
    close: async () => void closed.push(seed),
  };
  return { source, gradient };
}

const run = (sources: readonly Batches[], trains = (_: string): boolean => true, signal?: AbortSignal) =>
  gradientCosines({
    model: linear(2, 1),
    objective: squaredError,
    backend: openReference(),
    parameters: { weight: { dtype: 'f32', shape: [2, 1], data: Float32Array.from(weight) } },
    trains,
    batches: sources,
    count: 4,
    ...(signal ? { signal } : {}),
  });

it('are those of sums over batches, whatever their sizes; sources are closed', async () => {
  const closed: number[] = [];
  // The second ends before its count is reached.
  const all = [drawn(1, 4, closed), drawn(2, 3, closed), drawn(3, 4, closed)];
  const found = await run(all.map(({ source }) => source));
  expect(closed).toEqual([1, 2, 3]);
  for (const [i, { gradient: a }] of all.entries())
    for (const [j, { gradient: b }] of all.entries()) {
      const cosine = (a[0]! * b[0]! + a[1]! * b[1]!) / (Math.hypot(...a) * Math.hypot(...b));
      expect(found[i]![j]).toBeCloseTo(cosine, 5);
    }
});

it('are 0 where nothing moves; a stop closes what was opened', async () => {
  const closed: number[] = [];
  expect(await run([drawn(1, 1, closed).source], () => false)).toEqual([[0]]);
  const stop = new AbortController();
  stop.abort();
  await expect(run([drawn(2, 1, closed).source], undefined, stop.signal)).rejects.toThrow();
  expect(closed).toEqual([1, 2]);
});
