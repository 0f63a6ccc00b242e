/** The block against what it must be: plain attention when all is off, blind to order of heads and to other rows. */

import {
  attend,
  bind,
  causalMask,
  expandOps,
  f32,
  host,
  initialise,
  interpret,
  joinHeads,
  parameterTypes,
  relu,
  splitHeads,
  trace,
  uniforms,
  type AnyLayer,
  type HostTensor,
  type Tensor,
} from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { globalMap, partialBlock, type PartialBlock, type PartialOptions, type PartialView } from './index.js';

type Params = Record<string, HostTensor>;

/** Parameters far from their beginning, so that mistakes show. */
function lively(layer: AnyLayer, seed = 1): Params {
  const draw = uniforms(seed, 99);
  return Object.fromEntries(
    Object.entries(initialise(layer, seed)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.6 * (draw() - 0.5)) },
    ]),
  );
}

const numbers = (shape: readonly number[], seed: number): HostTensor => {
  const draw = uniforms(seed, 7);
  return host(
    shape,
    Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 2 * draw() - 1),
  );
};

/** Runs a function of bound parameters and inputs. */
function run(
  layer: AnyLayer,
  params: Params,
  inputs: Params,
  body: (bound: never, x: Readonly<Record<string, Tensor>>) => Tensor,
): Float32Array {
  const feeds = { ...params, ...Object.fromEntries(Object.entries(inputs).map(([n, t]) => [`in.${n}`, t])) };
  const types = {
    ...parameterTypes(layer),
    ...Object.fromEntries(Object.entries(inputs).map(([n, t]) => [`in.${n}`, f32(...t.shape)])),
  };
  const graph = trace(types, all => {
    const x = all as Record<string, Tensor>;
    const own = Object.fromEntries(Object.keys(inputs).map(n => [n, x[`in.${n}`]!]));
    return { out: body(bind(layer, x, { training: false }) as never, own) };
  });
  return interpret(expandOps(graph), feeds, 'f32')['out']!.data as Float32Array;
}

type Callable = (x: Tensor, view?: PartialView) => { readonly out: Tensor };
const causal = (T: number): Tensor => causalMask(T).reshape(1, 1, T, T);
const out = (block: PartialBlock, params: Params, x: HostTensor): Float32Array =>
  run(block, params, { x }, (bound: Callable, { x: rows }) => bound(rows!, { mask: causal(rows!.shape[1]!) }).out);

const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  return Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));
};

const options: PartialOptions = { width: 8, heads: 4, expandHeads: 6, coreHeads: 3, ratio: 2 };

/** Plain multi-head attention of E heads with a block's projections. */
const plain = (layer: PartialBlock, params: Params, x: HostTensor, gated: boolean): Float32Array =>
  run(layer, params, { x }, (bound: Record<string, (x: Tensor) => Tensor>, { x: rows }) => {
    const E = layer.config.expandHeads;
    const heads = (name: string): Tensor => splitHeads(bound[name]!(rows!), E);
    const joined = joinHeads(attend(heads('query'), heads('key'), heads('value'), causal(rows!.shape[1]!)));
    return bound['output']!(gated ? joined.mul(relu(bound['gate']!(rows!))) : joined);
  });

describe('a block', () => {
  it('is plain attention with naive scaling, without feed-forward and gate', () => {
    const block = partialBlock({ ...options, scaling: 'naive', feed: 'none', gate: 'none' });
    const [params, x] = [lively(block), numbers([2, 5, 8], 3)];
    expect(gap(out(block, params, x), plain(block, params, x, false))).toBeLessThan(1e-6);
  });

  it('is gated plain attention while its feed-forward gives zeros: the residual stays', () => {
    const block = partialBlock({ ...options, scaling: 'naive' });
    const start = lively(block);
    const params = Object.fromEntries(
      Object.entries(start).map(([name, t]) => [
        name,
        name.startsWith('feed.') ? { ...t, data: new Float32Array(t.data.length) } : t,
      ]),
    );
    const x = numbers([2, 5, 8], 4);
    expect(gap(out(block, params, x), plain(block, params, x, true))).toBeLessThan(1e-6);
    expect(gap(out(block, start, x), plain(block, start, x, true))).toBeGreaterThan(0.01);
  });

  it('mixes nothing with the identity for a network over heads, where scores are not negative', () => {
    const same = { width: 8, heads: 4, expandHeads: 4, ratio: 2 };
    const [complex, naive] = [partialBlock({ ...same, coreHeads: 4 }), partialBlock({ ...same, scaling: 'naive' })];
    const identity = host(
      [4, 4],
      Array.from({ length: 16 }, (_, i) => (i % 5 === 0 ? 1 : 0)),
    );
    const positive = (t: HostTensor): HostTensor => ({ ...t, data: Float32Array.from(t.data, Math.abs) });
    const params = Object.fromEntries(
      Object.entries(lively(naive)).map(([name, t]) => [name, /^(query|key)\./.test(name) ? positive(t) : t]),
    );
    const mix = {
      'mix.up.weight': identity,
      'mix.down.weight': identity,
      'mix.up.bias': host([4], [0, 0, 0, 0]),
      'mix.down.bias': host([4], [0, 0, 0, 0]),
    };
    const x = positive(numbers([2, 5, 8], 5));
    expect(gap(out(complex, { ...params, ...mix }, x), out(naive, params, x))).toBeLessThan(1e-6);
  });

  it('does not change when heads change places, for their feed-forwards are one', () => {
    const block = partialBlock({ ...options, scaling: 'naive' });
    const params = lively(block);
    const [E, d] = [6, 2];
    const order = [3, 0, 5, 1, 4, 2];
    const column = (i: number): number => order[Math.floor(i / d)]! * d + (i % d);
    const moved = Object.fromEntries(
      Object.entries(params).map(([name, t]) => {
        const [rows, width] = name.endsWith('.bias') ? [1, t.shape[0]!] : (t.shape as readonly [number, number]);
        const cells = (pick: (row: number, col: number) => number): HostTensor => ({
          ...t,
          data: Float32Array.from(t.data, (_, i) => t.data[pick(Math.floor(i / width), i % width)]!),
        });
        if (/^(query|key|value|gate)\./.test(name)) return [name, cells((r, c) => r * width + column(c))];
        if (name === 'output.weight') return [name, cells((r, c) => column(r) * width + c)];
        expect(rows * width).toBe(t.data.length);
        return [name, t];
      }),
    );
    const x = numbers([1, 4, E + 2], 6);
    expect(gap(out(block, moved, x), out(block, params, x))).toBeLessThan(1e-6);
    const perHead = partialBlock({ ...options, scaling: 'naive', feed: 'perHead' });
    const own = lively(perHead);
    expect(
      gap(out(perHead, { ...own, ...pickFrom(moved) }, x), out(perHead, { ...own, ...pickFrom(params) }, x)),
    ).toBeGreaterThan(0.01);
  });

  it('with a feed-forward for each head is the shared one where all are alike', () => {
    const [shared, perHead] = [partialBlock(options), partialBlock({ ...options, feed: 'perHead' })];
    const params = lively(shared);
    const repeated = (name: string, shape: readonly number[]): HostTensor => {
      const { data } = params[name]!;
      return host(
        shape,
        Array.from({ length: 6 * data.length }, (_, i) => data[i % data.length]!),
      );
    };
    const alike = {
      ...Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('feed.'))),
      'feedPerHead.up': repeated('feed.up.weight', [6, 2, 4]),
      'feedPerHead.upBias': repeated('feed.up.bias', [6, 1, 4]),
      'feedPerHead.down': repeated('feed.down.weight', [6, 4, 2]),
      'feedPerHead.downBias': repeated('feed.down.bias', [6, 1, 2]),
    };
    const x = numbers([2, 3, 8], 8);
    expect(gap(out(perHead, alike, x), out(shared, params, x))).toBeLessThan(1e-6);
  });

  it('takes keys and values of a source that were worked out before', async () => {
    const { keysAndValues, lookAt } = await import('./index.js');
    const block = partialBlock(options);
    const params = lively(block);
    const inputs = { x: numbers([2, 3, 8], 9), y: numbers([2, 5, 8], 10) };
    const fromSource = run(
      block,
      params,
      inputs,
      (bound: Callable, { x, y }) => bound(x!, { remember: lookAt(y!) }).out,
    );
    const known = run(block, params, inputs, (bound: Callable, { x, y }) => {
      const known = keysAndValues(block.config, bound, y!);
      return bound(x!, { remember: name => known[name] }).out;
    });
    expect(known).toEqual(fromSource);
  });

  it('puts scores of another kind where its own would be mixed', () => {
    const same: PartialOptions = { width: 8, heads: 4, expandHeads: 3, coreHeads: 3, ratio: 2 };
    const scores = {
      is: 'layer' as const,
      name: 'scores',
      params: {},
      apply: (_: unknown, q: Tensor, k: Tensor): Tensor => q.matmul(k, { transposeRight: true }).mul(2 ** -0.5),
    };
    const own = partialBlock(same, { scores });
    const naive = partialBlock({ ...same, scaling: 'naive' });
    const [params, x] = [lively(naive), numbers([1, 4, 8], 11)];
    expect(gap(out(own, params, x), out(naive, params, x))).toBeLessThan(1e-6);
  });
});

const pickFrom = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).filter(([name]) => !name.startsWith('feed.')));

/** Small blocks of every kind. */
const anyOptions = fc.record({
  width: fc.constantFrom(4, 6, 8).map(n => n),
  heads: fc.constantFrom(1, 2),
  expandHeads: fc.integer({ min: 1, max: 5 }),
  coreHeads: fc.integer({ min: 1, max: 3 }),
  ratio: fc.integer({ min: 1, max: 3 }),
  scaling: fc.constantFrom('complex' as const, 'naive' as const),
  feed: fc.constantFrom('shared' as const, 'perHead' as const, 'none' as const),
  gate: fc.constantFrom('after' as const, 'before' as const, 'none' as const),
  residual: fc.boolean(),
  norms: fc.boolean(),
  interaction: fc.integer({ min: 0, max: 2 }),
  bias: fc.boolean(),
});

describe('any block', () => {
  const T = 4;
  it('looks at no later token, and at no other row', () => {
    fc.assert(
      fc.property(anyOptions, fc.integer({ min: 0, max: 1e6 }), (given, seed) => {
        const block = partialBlock(given);
        const params = lively(block, seed);
        const C = given.width;
        const x = numbers([2, T, C], seed + 1);
        const before = out(block, params, x);
        // Row 1 alone gives what it gives beside row 0.
        const alone = out(block, params, host([1, T, C], x.data.slice(T * C)));
        expect(gap(alone, before.slice(T * C))).toBeLessThan(1e-5);
        // A change of token 2 of row 0 leaves its tokens 0 and 1, and all of row 1, as they are.
        const data = Float32Array.from(x.data);
        data[2 * C]! += 1;
        const after = out(block, params, { ...x, data });
        expect(after.slice(0, 2 * C)).toEqual(before.slice(0, 2 * C));
        expect(after.slice(T * C)).toEqual(before.slice(T * C));
      }),
      { numRuns: 40 },
    );
  });
});

describe('a global map', () => {
  it('tells distances apart, and only as far as it was asked to', () => {
    const map = globalMap({ width: 4, heads: 2, expandHeads: 2, distance: 2 });
    const params = lively(map);
    const token = [0.3, -1, 0.7, 0.2];
    const x = host([1, 6, 4], Array.from({ length: 6 }, () => token).flat());
    const found = run(map, params, { x }, (bound: (x: Tensor) => Tensor, { x: rows }) => bound(rows!));
    const at = (t: number, s: number): number => found[t * 6 + s]!;
    for (const [t, s] of [
      [1, 0],
      [3, 2],
      [5, 4],
    ] as const)
      expect(at(t, s)).toBeCloseTo(at(2, 1), 5);
    expect(at(0, 5)).toBeCloseTo(at(0, 2), 5); // 5 apart counts as 2
    expect(Math.abs(at(0, 1) - at(0, 2))).toBeGreaterThan(1e-3);
    expect(Math.abs(at(0, 1) - at(1, 0))).toBeGreaterThan(1e-3);
  });
});
