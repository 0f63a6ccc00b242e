/** The mixing of maps against loops over numbers, and against what it must equal. */

import * as fc from 'fast-check';
import {
  attend,
  bind,
  causalMask,
  evaluate,
  evaluateAll,
  host,
  initialise,
  parameterTypes,
  sizeOf,
  uniforms,
  type HostTensor,
  type Shape,
  type Tensor,
} from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { change, convolve, pairs, rowOf, type NaiveConvolution } from '../fixtures/naive.js';
import { emha } from './layer.js';
import { mixedMaps, type Convolution, type MixingWeights } from './mixing.js';
import { innerOfMaps, innerOp, mixesKeys, pairMaps } from './ops/inner.js';
import { emhaSizes, type EmhaConfig } from './options.js';
import { convolutionShapes, type ConvolutionShape } from './shapes.js';

const drawn = (seed: number, shape: Shape): HostTensor => {
  const draw = uniforms(seed, 7);
  return host(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => 2 * draw() - 1),
  );
};

const gap = (a: HostTensor, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a.data, (x, i) => Math.abs(x - b[i]!)), a.data.length === b.length ? 0 : Infinity);

/** Ours to torch's layout. */
function naive([groups, out, k, into]: ConvolutionShape, weight: HostTensor, bias: HostTensor): NaiveConvolution {
  const at = (o: number, c: number, j: number): number => weight.data[(o * k + j) * into + c]!;
  return {
    groups,
    bias: Array.from(bias.data),
    weight: Array.from({ length: groups * out }, (_o, o) =>
      Array.from({ length: into }, (_c, c) => Array.from({ length: k }, (_j, j) => at(o, c, j))),
    ),
  };
}

const layers = ['inner.expand', 'inner.reduce', 'cross.expand', 'cross.reduce'] as const;

/** Logits by this package and by loops, for one configuration. */
function both(config: EmhaConfig, B: number, T: number, S: number, mask: HostTensor | null, seed: number) {
  const sizes = emhaSizes(config);
  const { heads: H, keyHeads: G, headWidth: d, zeroFill } = sizes;
  const shapes = convolutionShapes(sizes);
  const q = drawn(seed, [B, H, T, d]);
  const k = drawn(seed + 1, [B, G, S, d]);
  const found = layers.flatMap((name, i) => {
    const [side, step] = name.split('.') as ['inner' | 'cross', 'expand' | 'reduce'];
    const shape = shapes[side][step];
    return shape
      ? [{ name, shape, weight: drawn(seed + 10 + i, shape), bias: drawn(seed + 20 + i, [shape[0] * shape[1]]) }]
      : [];
  });
  const weightsOf = (x: readonly Tensor[]): MixingWeights => {
    const made: Record<string, Convolution> = {};
    found.forEach(({ name }, i) => (made[name] = { weight: x[2 * i]!, bias: x[2 * i + 1]! }));
    const side = (of: string) => ({
      ...(made[`${of}.expand`] ? { expand: made[`${of}.expand`]! } : {}),
      ...(made[`${of}.reduce`] ? { reduce: made[`${of}.reduce`]! } : {}),
    });
    return { inner: side('inner'), cross: side('cross') };
  };
  const inputs = [q, k, ...found.flatMap(({ weight, bias }) => [weight, bias])];
  const ours = evaluate(
    (...x) => {
      const seen = mask ? x.at(-1)! : null;
      return mixedMaps(x[0]!, x[1]!, weightsOf(x.slice(2)), sizes, seen);
    },
    ...inputs,
    ...(mask ? [mask] : []),
  );
  const rows = Array.from({ length: B }, (_, b) => {
    const hidden = (t: number, s: number): boolean => {
      if (!mask) return false;
      const [mb, , mt] = mask.shape as readonly [number, number, number];
      return mask.data[((b % mb) * mt + (t % mt)) * S + s]! < 0;
    };
    const fill = (maps: number[][][], when: boolean): number[][][] =>
      when ? change(maps, (x, t, s) => (hidden(t, s) ? 0 : x)) : maps;
    const [first, every] = [zeroFill !== 'none', zeroFill === 'every'];
    let maps = fill(pairs(rowOf(q, b), rowOf(k, b)), first);
    for (const { name, shape, weight, bias } of found) {
      maps = convolve(maps, naive(shape, weight, bias));
      // A ReLU ends each expansion; zeros are filled in behind each layer but the last of the full form, as the authors do.
      if (name.endsWith('expand')) maps = change(maps, x => Math.max(0, x));
      maps = fill(maps, every && name !== 'cross.reduce');
    }
    return maps;
  });
  return { ours, naive: rows.flat(3) };
}

const config = fc
  .record({
    heads: fc.constantFrom(1, 2, 4),
    headWidth: fc.integer({ min: 1, max: 4 }),
    half: fc.boolean(),
    form: fc.constantFrom('full', 'light', 'map'),
    innerHidden: fc.integer({ min: 1, max: 3 }),
    innerKernel: fc.constantFrom(1, 3, 5),
    crossHidden: fc.constantFrom(4, 8),
    crossKernel: fc.constantFrom(1, 3),
    wide: fc.boolean(),
    grouped: fc.boolean(),
    zeroFill: fc.constantFrom('auto', 'none', 'first', 'every'),
  })
  .map(({ heads, headWidth, half, wide, grouped, ...options }) => ({
    width: heads * headWidth,
    heads,
    ...(half && heads > 1 ? { keyHeads: heads / 2 } : {}),
    ...(wide ? { innerGroups: 1 } : {}),
    ...(grouped ? { crossGroups: heads } : {}),
    ...options,
  })) as fc.Arbitrary<EmhaConfig>;

describe('mixedMaps', () => {
  it('gives what loops over the definition give, for any sizes, groups, kernels, masks and fillings', () => {
    fc.assert(
      fc.property(
        config,
        fc.constantFrom('none', 'padding', 'causal'),
        fc.integer({ min: 1, max: 6 }),
        fc.nat(1000),
        (options, kind, T, seed) => {
          const S = kind === 'causal' ? T : T + 2;
          const mask =
            kind === 'none'
              ? null
              : kind === 'causal'
                ? evaluate(() => causalMask(T).reshape(1, 1, T, T))
                : host(
                    [2, 1, 1, S],
                    Array.from({ length: 2 * S }, (_, i) => (i % S >= S - Math.floor(i / S) - 1 ? -1e9 : 0)),
                  );
          const found = both(options, 2, T, S, mask, seed);
          expect(gap(found.ours, found.naive)).toBeLessThan(2e-5);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('mixes keys or maps, whichever is cheaper, and both give the same', () => {
    const shapes = { q: [2, 4, 12, 8], k: [2, 4, 9, 8], w: [4, 8, 1, 4], b: [32] } as const;
    const types = (T: number) =>
      [[2, 4, T, 8], shapes.k, shapes.w].map(shape => ({ dtype: 'f32' as const, shape })) as [never, never, never];
    expect(mixesKeys(...types(12), null)).toBe(true);
    expect(mixesKeys(...types(1), null)).toBe(false);
    const inputs = Object.values(shapes).map((shape, i) => drawn(i, shape));
    const { keys, maps } = evaluateAll(
      (q, k, w, b) => ({
        keys: innerOp([q!, k!, w!, b!], { fill: 'none' })[0]!,
        maps: innerOfMaps(pairMaps(q!, k!), { expand: w!, expandBias: b! }, null, 'none'),
      }),
      inputs,
    );
    expect(gap(keys!, maps!.data)).toBeLessThan(1e-5);
  });

  it('is plain attention with the identity in its convolutions', () => {
    const heads = 3;
    const [q, k, v] = [1, 2, 3].map(seed => drawn(seed, [2, heads, 5, 4]));
    // ReLU(x) - ReLU(-x) is x: two hidden maps for each kept one.
    const cells = (shape: ConvolutionShape, at: (o: number, c: number) => number): HostTensor =>
      host(
        shape,
        Array.from({ length: sizeOf(shape) }, (_, i) => at(Math.floor(i / shape[3]), i % shape[3])),
      );
    const weights = [
      cells([heads, 2, 1, heads], (o, c) => (c === Math.floor(o / 2) ? 1 - 2 * (o % 2) : 0)),
      cells([heads, 1, 1, 2], (_, c) => 1 - 2 * c),
      cells([1, 2 * heads, 1, heads], (o, c) => (c === Math.floor(o / 2) ? 1 - 2 * (o % 2) : 0)),
      cells([1, heads, 1, 2 * heads], (o, c) => (o === Math.floor(c / 2) ? 1 - 2 * (c % 2) : 0)),
    ];
    const { mixed, plain } = evaluateAll(
      (a, b, c, ...w) => {
        const layer = (i: number) => ({ weight: w[i]!, bias: w[i]!.sum().mul(0).broadcastTo([sizes[i]!]) });
        const sizes = [2 * heads, heads, 2 * heads, heads];
        const mixing = { inner: { expand: layer(0), reduce: layer(1) }, cross: { expand: layer(2), reduce: layer(3) } };
        const kind = { form: 'full', inner: 'mix', cross: true, zeroFill: 'none' } as const;
        const logits = mixedMaps(a!.mul(0.5), b!, mixing, kind);
        const shares = logits.sub(logits.max(-1, { keep: true })).exp();
        return {
          mixed: shares.div(shares.sum(-1, { keep: true })).matmul(c!),
          plain: attend(a!, b!, c!),
        };
      },
      [q!, k!, v!, ...weights],
    );
    expect(gap(mixed!, plain!.data)).toBeLessThan(1e-6);
  });
});

/** What a layer gives in evaluation, with parameters moved away from their start. */
function run(options: EmhaConfig, query: HostTensor, memory: HostTensor, mask: HostTensor | null): HostTensor {
  const layer = emha(options);
  const names = Object.keys(parameterTypes(layer));
  const params = initialise(layer, 3);
  return evaluate(
    (...x) => {
      const bound = bind(layer, Object.fromEntries(names.map((name, i) => [name, x[i + 3]!])), { training: false });
      return bound(x[0]!, x[1]!, mask ? x[2]! : null);
    },
    query,
    memory,
    mask ?? host([1], [0]),
    ...names.map((name, i) => ({
      ...params[name]!,
      data: Float32Array.from(params[name]!.data, (w, j) => w + 0.3 * drawn(i, [j + 1]).data[j]!),
    })),
  );
}

const part = (t: HostTensor, from: number, to: number): number[] => {
  const row = t.shape[1]! * t.shape[2]!;
  return Array.from(t.data.slice(from * row, to * row));
};

describe('emha', () => {
  const options = fc.constantFrom<Partial<EmhaConfig>>({}, { preset: 'repo' }, { preset: 'light' }, { relative: 2 });

  it('gives a row of a batch what it gives the row alone, padded or not', () => {
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 5 }), fc.nat(100), (given, T, seed) => {
        const x = drawn(seed, [3, T, 8]);
        const mask = host(
          [3, 1, 1, T],
          Array.from({ length: 3 * T }, (_, i) => (i % T > 0 && i % T >= T - Math.floor(i / T) ? -1e9 : 0)),
        );
        const all = run({ width: 8, heads: 2, ...given }, x, x, mask);
        for (const b of [0, 1, 2]) {
          const alone = host([1, T, 8], part(x, b, b + 1));
          const own = host([1, 1, 1, T], mask.data.slice(b * T, (b + 1) * T));
          expect(gap(run({ width: 8, heads: 2, ...given }, alone, alone, own), part(all, b, b + 1))).toBeLessThan(1e-6);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('does not see padding: a padded text is the text, then anything', () => {
    fc.assert(
      fc.property(options, fc.nat(100), (given, seed) => {
        const config = { width: 8, heads: 2, ...given };
        const text = drawn(seed, [1, 4, 8]);
        const padded = host([1, 6, 8], [...text.data, ...drawn(seed + 1, [16]).data]);
        const mask = host([1, 1, 1, 6], [0, 0, 0, 0, -1e9, -1e9]);
        // Relative positions count from the end of the keys, so the queries are padded too.
        const found = run(config, padded, padded, mask);
        expect(gap(run(config, text, text, null), found.data.slice(0, 32))).toBeLessThan(1e-5);
      }),
      { numRuns: 20 },
    );
  });

  it('gives in the last row of a prefix what it gives there in the whole text, causally', () => {
    const causal = (T: number): HostTensor => evaluate(() => causalMask(T).reshape(1, 1, T, T));
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 6 }), fc.nat(100), (given, T, seed) => {
        const config = { width: 8, heads: 2, ...given };
        const text = drawn(seed, [1, 6, 8]);
        const whole = run(config, text, text, causal(6));
        const prefix = host([1, T, 8], text.data.slice(0, T * 8));
        const last = host([1, 1, 8], text.data.slice((T - 1) * 8, T * 8));
        // One query over the keys so far, as a step over a cache.
        expect(gap(run(config, last, prefix, null), whole.data.slice((T - 1) * 8, T * 8))).toBeLessThan(1e-5);
      }),
      { numRuns: 20 },
    );
  });
});
