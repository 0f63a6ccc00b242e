/** An encoder with a head: what it must not see, what it must not mind, and that it learns what is planted. */

import {
  bind,
  classification,
  evaluateAll,
  adamW,
  host,
  initialise,
  openReference,
  parameterTypes,
  schedule,
  train,
  uniforms,
  type Batches,
  type ClassifierModel,
  type HostTensor,
} from '@heddle/core';
import { lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { createClassifier } from './classifier.js';

const draw = uniforms(4, 1);
const numbers = (...shape: number[]): HostTensor => host(shape, Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * draw() - 1)); // prettier-ignore

function logits(model: ClassifierModel, tokens: HostTensor, mask: HostTensor): number[] {
  const names = Object.keys(parameterTypes(model));
  const params = initialise(model, 1);
  // Small weights would make everything the same.
  const values = names.map(name => ({ ...params[name]!, data: Float32Array.from(params[name]!.data, x => 8 * x) }));
  const { out } = evaluateAll(
    (...all) => ({
      out: bind(model, Object.fromEntries(names.map((name, i) => [name, all[i]!])), { training: false })(all.at(-2)!, all.at(-1)!), // prettier-ignore
    }),
    [...values, tokens, mask],
  );
  return Array.from(out!.data);
}
const near = (a: readonly number[], b: readonly number[]): void => {
  for (const [i, x] of a.entries()) expect(x).toBeCloseTo(b[i]!, 4);
};
const ones = (...shape: number[]): HostTensor =>
  host(shape, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1));

describe('a classifier', () => {
  const vectors = createClassifier({ features: 3, length: 6, classes: 4, width: 8, depth: 2, heads: 2 });
  const words = createClassifier({ vocabulary: 11, length: 6, classes: 3, width: 8, depth: 2, heads: 2 });

  it('gives each row of vectors a number for each class, whatever the order of its tokens', () => {
    const x = numbers(2, 5, 3);
    const found = logits(vectors, x, ones(2, 5));
    expect(found).toHaveLength(8);
    const order = [3, 0, 4, 1, 2];
    const mixed = Float32Array.from({ length: 30 }, (_, i) => {
      const [row, token, k] = [Math.floor(i / 15), Math.floor(i / 3) % 5, i % 3];
      return x.data[row * 15 + order[token]! * 3 + k]!;
    });
    near(logits(vectors, host([2, 5, 3], mixed), ones(2, 5)), found);
  });

  it('does not see what is no token, and minds the order of words', () => {
    const ids = (...all: number[]): HostTensor => host([1, all.length], all, 'i32');
    const found = logits(words, ids(1, 2, 3), ones(1, 3));
    near(logits(words, ids(1, 2, 3, 9, 9), host([1, 5], [1, 1, 1, 0, 0])), found);
    expect(Math.abs(logits(words, ids(3, 2, 1), ones(1, 3))[0]! - found[0]!)).toBeGreaterThan(1e-3);
    const first = createClassifier({
      vocabulary: 11,
      length: 6,
      classes: 3,
      width: 8,
      depth: 2,
      heads: 2,
      pooling: 'first',
    });
    expect(logits(first, ids(1, 2, 3), ones(1, 3))).not.toEqual(found);
    for (const x of logits(words, ids(1, 2), host([1, 2], [0, 0]))) expect(Number.isFinite(x)).toBe(true);
  });

  it('learns which rows are of which class', async () => {
    const model = createClassifier({ features: 4, length: 5, classes: 2, width: 16, depth: 1, heads: 2 });
    const data: Batches = {
      async next() {
        const features = numbers(16, 5, 4);
        const labels = Int32Array.from({ length: 16 }, (_, b) => b % 2);
        // One number of one token says it.
        labels.forEach((label, b) => (features.data[b * 20 + 4 * (b % 5)] = label === 1 ? 3 : -3));
        return { batch: { features, labels: host([16], labels, 'i32'), mask: ones(16) }, tokens: 16, cursor: null };
      },
      async seek() {},
      async close() {},
    };
    const events = await lastValueFrom(
      train({ name: 'classes', model, objective: classification(), optimizer: adamW(), schedule: schedule.constant(0.01), data, backend: openReference(), steps: 60, seed: 1 }).pipe(toArray()), // prettier-ignore
    );
    const accuracies = events.flatMap(event => (event.type === 'step.finished' ? [event.metrics['accuracy']!] : []));
    expect(accuracies[0]).toBeLessThan(0.9);
    expect(accuracies.slice(-10).reduce((a, b) => a + b, 0) / 10).toBeGreaterThan(0.95);
  });

  it.each([
    [{ classes: 2 }, /vocabulary: expected a whole number/],
    [{ classes: 0, features: 2 }, /classes: expected a whole number/],
    [{ classes: 2, features: 0 }, /features: expected a whole number/],
    [{ classes: 2, features: 2, pooling: 'last' }, /pooling: expected 'mean' or 'first'/],
    [{ classes: 2, features: 2, heads: 3, width: 8 }, /heads: expected a divisor/],
  ])('%j is refused', (config, message) => {
    expect(() => createClassifier(config as never)).toThrow(message);
  });

  it('refuses tokens and masks of other shapes', () => {
    expect(() => logits(vectors, numbers(1, 7, 3), ones(1, 7))).toThrow(/tokens f32\[B, 1 to 6, 3\]/);
    expect(() => logits(vectors, numbers(1, 5, 2), ones(1, 5))).toThrow(/tokens f32\[B, 1 to 6, 3\]/);
    expect(() => logits(vectors, numbers(1, 5, 3), ones(1, 4))).toThrow(/expected a mask/);
    expect(() => logits(words, host([1, 7], [1, 1, 1, 1, 1, 1, 1], 'i32'), ones(1, 7))).toThrow(/T up to 6/);
  });
});
