/** PartialFormer in models of @heddle/transformer: found by name, the same over a cache as over a whole text, trainable. */

import {
  bind,
  countParameters,
  createHost,
  expandOps,
  host,
  i32,
  initialise,
  interpret,
  logSoftmax,
  openReference,
  parameterTypes,
  trace,
  uniforms,
  type DecoderModel,
  type HostTensor,
  type Tensor,
} from '@heddle/core';
import partial, { blockParameters, mapParameters } from '@heddle/ffn-partial';
import transformer, {
  createDecoder,
  createProgram,
  decoderPresets,
  openSession,
  partsOf,
  type PartialDecoderConfig,
} from '@heddle/transformer';
import { afterAll, describe, expect, it } from 'vitest';
import { learning } from './support/training.js';

const V = 19;
const sizes = { expandHeads: 6, coreHeads: 3, ratio: 2 };
const tiny = {
  vocabulary: V,
  ...decoderPresets.tiny,
  width: 16,
  length: 24,
  attention: 'partial',
  ffn: 'none',
  norm: 'layer',
  positions: 'sinusoidal',
  bias: true,
  options: { attention: sizes },
} satisfies PartialDecoderConfig;

const variants: readonly (readonly [string, PartialDecoderConfig])[] = [
  ['complex scaling', tiny],
  [
    'naive scaling, rotary positions',
    { ...tiny, positions: 'rotary', options: { attention: { ...sizes, scaling: 'naive' } } },
  ],
  ['no global map, no biases', { ...tiny, bias: false, options: { attention: { ...sizes, globalMap: false } } }],
  [
    'ablations, beside a feed-forward',
    {
      ...tiny,
      ffn: 'swiglu',
      options: {
        attention: { ...sizes, feed: 'perHead', gate: 'before', norms: true, innerGate: true, interaction: 1 },
      },
    },
  ],
];

const registry = createHost({ plugins: [transformer, partial] });
afterAll(() => registry.close());
const built = (config: PartialDecoderConfig): DecoderModel => createDecoder(config, partsOf(registry));

/** Parameters far from their beginning, so that mistakes show. */
function lively(model: DecoderModel): Record<string, HostTensor> {
  const draw = uniforms(3, 99);
  return Object.fromEntries(
    Object.entries(initialise(model, 3)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.5 * (draw() - 0.5)) },
    ]),
  );
}

/** Log-probabilities of a whole text. @shape ids [T] -> [T][V] */
function forward(model: DecoderModel, params: Record<string, HostTensor>, ids: readonly number[]): Float32Array[] {
  const graph = trace({ ...parameterTypes(model), ids: i32(1, ids.length) }, inputs => ({
    out: logSoftmax(bind(model, inputs as Record<string, Tensor>, { training: false })(inputs['ids']!)),
  }));
  const { data } = interpret(expandOps(graph), { ...params, ids: host([1, ids.length], ids, 'i32') }, 'f32')['out']!;
  return ids.map((_, t) => (data as Float32Array).slice(t * V, (t + 1) * V));
}

const ids = [3, 7, 1, 0, 18, 4, 4, 9, 12, 2, 6, 15, 11];
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

describe.each(variants)('a decoder of partial attention: %s', (_, config) => {
  const model = built(config);
  const params = lively(model);

  it('gives the same over a cache as over the whole text, rows of different lengths side by side', async () => {
    const backend = openReference();
    const program = createProgram({ model, params, backend }, 2, 20);
    const session = await openSession(program, [4]);
    const whole = forward(model, params, ids);
    const paths = [session.open(0), session.open(1)];
    const starts = [7, 2];
    let feeds = paths.map((path, row) => ({ path, ids: ids.slice(0, starts[row]) }));
    for (let step = 0; step < 5; step++) {
      const outlooks = await session.feed(feeds);
      outlooks.forEach(({ logits, total }, row) => {
        const ours = logits.map(x => x - total);
        expect(gap(ours, whole[starts[row]! + step - 1]!)).toBeLessThan(2e-5);
      });
      feeds = paths.map((path, row) => ({ path, ids: [ids[starts[row]! + step]!] }));
    }
    await session.close();
    await program.close();
    expect(backend.live()).toBe(0);
    await backend.close();
  });

  it('does not look ahead', () => {
    const [before, after] = [forward(model, params, ids), forward(model, params, ids.with(9, 5))];
    for (let t = 0; t < 9; t++) expect(after[t]).toEqual(before[t]);
    expect(gap(after[9]!, before[9]!)).toBeGreaterThan(1e-3);
  });
});

describe('a decoder of partial attention', () => {
  const model = built(tiny);

  it('has blocks of attention alone, and one map for all of them', () => {
    const names = Object.keys(parameterTypes(model));
    expect(names.filter(name => name.includes('ffn'))).toEqual([]);
    expect(names.filter(name => name.includes('attention.map.'))).toEqual(
      names.filter(name => name.startsWith('blocks.0.attention.map.')),
    );
    const block = blockParameters({ width: 16, heads: 4, ...sizes }).total + 2 * 16;
    const map = mapParameters({ width: 16, heads: 4, expandHeads: 6 });
    expect(countParameters(model)).toBe(V * 16 + 2 * block + map + 2 * 16);
    expect(model.cache(1, 8)).toMatchObject({
      'blocks.0.key': { shape: [1, 3, 8, 4] },
      'blocks.0.value': { shape: [1, 6, 8, 4] },
      'blocks.0.map': { shape: [1, 6, 8, 4] },
      'blocks.1.key': { shape: [1, 3, 8, 4] },
    });
    expect(Object.keys(model.cache(1, 8))).not.toContain('blocks.1.map');
  });

  it('adds the map to every block: without it the numbers are others', () => {
    const params = lively(model);
    const off = built({ ...tiny, options: { attention: { ...sizes, globalMap: false } } });
    const same = Object.fromEntries(Object.keys(parameterTypes(off)).map(name => [name, params[name]!]));
    expect(gap(forward(off, same, ids)[12]!, forward(model, params, ids)[12]!)).toBeGreaterThan(1e-3);
  });

  it('learns a text by heart, dropout on', { timeout: 60_000 }, async () => {
    const learner = built({ ...tiny, dropout: 0.02 });
    const backend = openReference();
    const losses = await learning(learner, ids.slice(0, 13), backend, { steps: 60, rate: 0.01 });
    expect(losses[0]).toBeGreaterThan(2.5);
    expect(losses.at(-1)).toBeLessThan(0.3);
    await backend.close();
  });

  it('refuses what cannot be, in words that name it', () => {
    expect(() => built({ ...tiny, options: { attention: { expandheads: 4 } } })).toThrow(
      /expandheads: expected one of/,
    );
    expect(() => built({ ...tiny, heads: 4, keyHeads: 2 })).toThrow(/keyHeads: expected the number of heads, 4/);
    expect(() => built({ ...tiny, width: 18 })).toThrow(/divisor of the width 18/);
  });
});
