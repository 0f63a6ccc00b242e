/** Merged adapters against sums of whole differences, PEFT's formula by hand, and inner products of whole matrices. */

import { uniforms, type HostTensor } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { methods } from '../methods/index.js';
import { foldLora } from './lora.js';
import { deltaOf, mergeLora, type MergeableLora } from './merge.js';
import { groupCosines, taskVectors } from './task-vectors.js';

const shapes = { 'blocks.0.up': [6, 8], 'blocks.0.down': [8, 5] } as const;
const layers = Object.keys(shapes);

const drawn = (rank: number, seed: number, alpha = 2 * rank): MergeableLora => {
  const draw = uniforms(seed, 3);
  const tensor = (...shape: number[]): HostTensor => ({ dtype: 'f32', shape, data: Float32Array.from({ length: shape[0]! * shape[1]! }, () => draw() - 0.5) }); // prettier-ignore
  const entries = Object.entries(shapes).flatMap(([path, [from, to]]) => [
    [`${path}.loraA`, tensor(from, rank)],
    [`${path}.loraB`, tensor(rank, to)],
  ]);
  return { adapter: Object.fromEntries(entries) as Record<string, HostTensor>, options: { rank, alpha } };
};
const method = (name: string) => methods.find(one => one.name === name)!;
const near = (x: ArrayLike<number>, y: ArrayLike<number>, error = 1e-5): void => {
  expect(x.length).toBe(y.length);
  for (let i = 0; i < x.length; i++) expect(Math.abs(x[i]! - y[i]!)).toBeLessThan(error * (1 + Math.abs(y[i]!)));
};

describe('merging by differences', () => {
  it('is the weighted sum of them where the rank is enough, and folds as that', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 2 }), fc.double({ min: 0.1, max: 2, noNaN: true })), {
          minLength: 1,
          maxLength: 2,
        }),
        fc.nat(99),
        (parts, seed) => {
          const adapters = parts.map(([rank], i) => drawn(rank, seed + i));
          const each = parts.map(([, weight]) => ({ weight }));
          const merged = mergeLora(adapters, { method: method('linear'), each, merge: { normalize: 0 }, rank: 4 });
          expect(merged.truncation.worst).toBeLessThan(1e-5);
          const base = Object.fromEntries(layers.map(path => [`${path}.weight`, { dtype: 'f32' as const, shape: shapes[path as keyof typeof shapes], data: new Float32Array(shapes[path as keyof typeof shapes][0] * shapes[path as keyof typeof shapes][1]) }])); // prettier-ignore
          const folded = foldLora(base, merged.adapter, merged.options);
          for (const path of layers) {
            const deltas = adapters.map(one => deltaOf(one, path));
            const sum = deltas[0]!.map((_, at) =>
              deltas.reduce((total, delta, i) => total + each[i]!.weight * delta[at]!, 0),
            );
            near(deltaOf(merged, path), sum, 1e-4);
            near(folded[`${path}.weight`]!.data as Float32Array, sum, 1e-4);
          }
        },
      ),
      { numRuns: 20 },
    );
  });

  it('of one adapter by any method that keeps all is that adapter', () => {
    const one = drawn(3, 5);
    for (const [name, each] of [
      ['linear', { weight: 1 }],
      ['task_arithmetic', { weight: 1 }],
      ['ties', { weight: 1, density: 1 }],
    ] as const) {
      const merged = mergeLora([one], { method: method(name), each });
      for (const path of layers) near(deltaOf(merged, path), deltaOf(one, path), 1e-4);
    }
  });

  it('by TIES keeps what most pull to, by hand', () => {
    // One layer of one weight: three adapters that say 3, 2 and -4. The sum of signs is positive: the mean of 3 and 2.
    const say = (value: number): MergeableLora => ({
      adapter: {
        'x.loraA': { dtype: 'f32', shape: [1, 1], data: Float32Array.of(value) },
        'x.loraB': { dtype: 'f32', shape: [1, 1], data: Float32Array.of(1) },
      },
      options: { rank: 1, alpha: 1 },
    });
    const merged = mergeLora([say(3), say(2), say(-4)], { method: method('ties'), each: { weight: 1, density: 1 } });
    near(deltaOf(merged, 'x'), [2.5]);
  });

  it('says what a small rank leaves out', () => {
    const adapters = [drawn(3, 1), drawn(3, 2)];
    const shares = [1, 2, 4, 6].map(
      rank => mergeLora(adapters, { method: method('linear'), each: { weight: 1 }, rank }).truncation.mean,
    );
    for (const [i, share] of shares.slice(1).entries()) expect(share).toBeLessThan(shares[i]!);
    expect(shares[0]).toBeGreaterThan(0.1);
    expect(shares.at(-1)!).toBeLessThan(1e-4);
  });

  it('that drops at random is the same for a seed, and another for another', () => {
    const of = (seed: number) => mergeLora([drawn(2, 1), drawn(2, 2)], { method: method('dare_ties'), each: { weight: 1, density: 0.5 }, seed }).adapter; // prettier-ignore
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });
});

describe('merging by factors', () => {
  it("is PEFT's: both factors times the root of weight and scale, summed, with scale 1", () => {
    const adapters = [drawn(2, 1, 8), drawn(2, 2, 2)];
    const weights = [0.5, 2];
    const merged = mergeLora(adapters, {
      method: method('linear'),
      each: weights.map(weight => ({ weight })),
      mode: 'factors',
    });
    expect(merged.options).toMatchObject({ rank: 2, alpha: 2 });
    const factor = adapters.map(({ options }, i) => Math.sqrt((weights[i]! * options.alpha!) / 2));
    for (const path of layers)
      for (const side of ['loraA', 'loraB']) {
        const own = adapters.map(({ adapter }) => adapter[`${path}.${side}`]!.data);
        near(merged.adapter[`${path}.${side}`]!.data, Float32Array.from(own[0]!, (x, at) => factor[0]! * x + factor[1]! * own[1]![at]!)); // prettier-ignore
      }
  });
});

it('adapters that do not go together are refused', () => {
  const linear = { method: method('linear'), each: { weight: 1 } };
  const { 'blocks.0.up.loraA': _, 'blocks.0.up.loraB': __, ...half } = drawn(2, 1).adapter;
  const refuse = (adapters: readonly MergeableLora[], more: object = {}) => expect(() => mergeLora(adapters, { ...linear, ...more })); // prettier-ignore
  refuse([]).toThrow(expect.objectContaining({ code: 'E_ADAPTER' }));
  refuse([drawn(2, 1), { ...drawn(2, 1), adapter: half }]).toThrow(/'blocks.0.up'/);
  const wide = { adapter: { ...drawn(2, 1).adapter, 'blocks.0.up.loraA': { dtype: 'f32' as const, shape: [7, 2], data: new Float32Array(14) } }, options: { rank: 2 } }; // prettier-ignore
  refuse([drawn(2, 1), wide]).toThrow(/expected 6 to 8 in all, received 7 to 8/);
  refuse([drawn(2, 1), drawn(2, 2)], { each: { weight: -1 }, mode: 'factors' }).toThrow(/weights from 0/);
  refuse([drawn(2, 1)], { each: { weight: Number.NaN } }).toThrow(expect.objectContaining({ code: 'E_MERGE' })); // prettier-ignore
});

describe('task vectors', () => {
  it('have the cosines and conflicts of the whole differences', () => {
    const adapters = [drawn(2, 1), drawn(3, 2, 1), drawn(1, 3)];
    const { cosines, byLayer, signConflict, signConflicts } = taskVectors(adapters);
    const whole = adapters.map(one => layers.flatMap(path => Array.from(deltaOf(one, path))));
    const cosine = (x: readonly number[], y: readonly number[]): number => {
      const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, v, i) => sum + v * b[i]!, 0);
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    };
    for (let i = 0; i < 3; i++) {
      near(cosines[i]!, whole.map(other => cosine(whole[i]!, other)), 1e-5); // prettier-ignore
      const own = adapters.map(one => Array.from(deltaOf(one, layers[0]!)));
      near(byLayer[layers[0]!]![i]!, own.map(other => cosine(own[i]!, other)), 1e-5); // prettier-ignore
    }
    const apart = whole[0]!.filter((_, at) => whole.some(v => v[at]! > 0) && whole.some(v => v[at]! < 0)).length;
    expect(signConflict).toBeCloseTo(apart / whole[0]!.length, 10);
    expect(Object.keys(signConflicts)).toEqual(layers);
  });

  it('of groups are means of pairs', () => {
    const cosines = [
      [1, 0.8, 0.1],
      [0.8, 1, 0.3],
      [0.1, 0.3, 1],
    ];
    const { within, between } = groupCosines({ cosines }, ['a', 'a', 'b']);
    expect(within).toBe(0.8);
    expect(between).toBeCloseTo(0.2, 12);
    expect(groupCosines({ cosines }, ['a', 'b', 'c']).within).toBeNull();
  });
});
