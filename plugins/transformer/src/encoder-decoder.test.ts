import {
  bind,
  constant,
  countParameters,
  expandOps,
  f32,
  grad,
  host,
  hostZeros,
  i32,
  initialise,
  interpret,
  logSoftmax,
  parameterTypes,
  trace,
  uniforms,
  type EncoderDecoderModel,
  type HostTensor,
  type PartSource,
  type Tensor,
  type Types,
} from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { encoderDecoderConfig, type PartialEncoderDecoderConfig } from './config.js';
import { encoderDecoderParameters } from './count.js';
import { createEncoderDecoder } from './encoder-decoder.js';

const V = 19;
const tiny = {
  vocabulary: V,
  width: 16,
  heads: 4,
  depth: 2,
  encoderDepth: 1,
  length: 12,
  sourceLength: 9,
} satisfies PartialEncoderDecoderConfig;

const variants: readonly (readonly [string, PartialEncoderDecoderConfig])[] = [
  ['as it is', tiny],
  ['post-norm', { ...tiny, normFirst: false }],
  [
    'rms, swiglu, rotary, embeddings of their own',
    { ...tiny, norm: 'rms', ffn: 'swiglu', positions: 'rotary', bias: false, tied: false, sharedEmbedding: false },
  ],
  ['grouped queries, learned positions', { ...tiny, keyHeads: 2, positions: 'learned' }],
  ['relative positions', { ...tiny, attention: 'relative', positions: 'none', options: { attention: { reach: 2 } } }],
];

/** Parameters far from their small beginning, so that mistakes show. */
function lively(model: EncoderDecoderModel, seed = 1): Record<string, HostTensor> {
  const draw = uniforms(seed, 99);
  return Object.fromEntries(
    Object.entries(initialise(model, seed)).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, data: Float32Array.from(data, x => x + 0.6 * (draw() - 0.5)) },
    ]),
  );
}

const run = (
  model: EncoderDecoderModel,
  params: Readonly<Record<string, HostTensor>>,
  feeds: Readonly<Record<string, HostTensor>>,
  build: (bound: never, inputs: Readonly<Record<string, Tensor>>) => Readonly<Record<string, Tensor>>,
): Readonly<Record<string, HostTensor>> => {
  const types: Types = {
    ...parameterTypes(model),
    ...Object.fromEntries(
      Object.entries(feeds).map(([name, { dtype, shape }]) => [name, (dtype === 'i32' ? i32 : f32)(...shape)]),
    ),
  };
  const graph = trace(types, inputs =>
    build(bind(model, inputs as Record<string, Tensor>, { training: false }) as never, inputs),
  );
  return interpret(expandOps(graph), { ...params, ...feeds }, 'f32');
};

const draw = uniforms(5, 1);
const tokens = (n: number): number[] => Array.from({ length: n }, () => Math.floor(draw() * V));
const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (x, i) => Math.abs(x - b[i]!)));

const [S, T] = [6, 7];
const sources = [tokens(S), tokens(S)];
const ids = [tokens(T), tokens(T)];
const sourceMask = host([2, S], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]);
const feeds = {
  source: host([2, S], sources.flat(), 'i32'),
  sourceMask,
  ids: host([2, T], ids.flat(), 'i32'),
};
type Call = (...inputs: Tensor[]) => Tensor;
const whole = (model: EncoderDecoderModel, params: Record<string, HostTensor>, given = feeds): Float32Array =>
  run(model, params, given, (bound: Call, x) => ({
    out: logSoftmax(bound(x['source']!, x['sourceMask']!, x['ids']!)),
  }))['out']!.data as Float32Array;

describe.each(variants)('%s', (_, config) => {
  const model = createEncoderDecoder(config);
  const params = lively(model);
  const all = whole(model, params);

  it('gives the same token by token, over a source read once, as over the whole text', () => {
    const C = 8;
    const read = run(model, params, { source: feeds.source, sourceMask }, (bound, x) =>
      model.encode(bound, { source: x['source']!, sourceMask: x['sourceMask']! }),
    );
    expect(Object.fromEntries(Object.entries(read).map(([name, { shape }]) => [name, shape]))).toEqual(
      Object.fromEntries(Object.entries(model.memory(2, S)).map(([name, { shape }]) => [name, shape])),
    );
    let cache: Readonly<Record<string, HostTensor>> = Object.fromEntries(
      Object.entries(model.cache(2, C)).map(([name, { shape }]) => [name, hostZeros(shape)]),
    );
    const prefix = (p: string, tensors: Readonly<Record<string, HostTensor>>): Record<string, HostTensor> =>
      Object.fromEntries(Object.entries(tensors).map(([name, t]) => [`${p}.${name}`, t]));
    for (let t = 0; t < T; t++) {
      // The second row's places run backwards: places are no positions.
      const places = [t, C - 1 - t];
      const seen = [(c: number): boolean => c <= t, (c: number): boolean => c >= C - 1 - t];
      const mask = seen.flatMap(may => Array.from({ length: C }, (_c, c) => (may(c) ? 0 : -1e9)));
      const given = {
        ...prefix('memory', read),
        ...prefix('cache', cache),
        ids: host([2, 1], [ids[0]![t]!, ids[1]![t]!], 'i32'),
        positions: host([2, 1], [t, t], 'i32'),
        places: host([2, 1], places, 'i32'),
        mask: host([2, 1, C], mask),
        sourceMask,
      };
      const out = run(model, params, given, (bound, x) => {
        const below = (p: string): Record<string, Tensor> =>
          Object.fromEntries(
            Object.entries(x).flatMap(([n, v]) => (n.startsWith(`${p}.`) ? [[n.slice(p.length + 1), v]] : [])),
          );
        const { logits, cache: next } = model.decode(bound, {
          ids: x['ids']!,
          positions: x['positions']!,
          places: x['places']!,
          mask: x['mask']!,
          sourceMask: x['sourceMask']!,
          cache: below('cache'),
          memory: below('memory'),
        });
        return { ...next, out: logSoftmax(logits) };
      });
      const { out: logits, ...next } = out;
      cache = next;
      for (const row of [0, 1])
        expect(
          gap(
            (logits!.data as Float32Array).subarray(row * V, (row + 1) * V),
            all.subarray((row * T + t) * V, (row * T + t + 1) * V),
          ),
        ).toBeLessThan(1e-5);
    }
  });

  it('does not look ahead in the text, nor at padding of the source, and looks at all else of it', () => {
    const at = (change: Partial<typeof feeds>): Float32Array => whole(model, params, { ...feeds, ...change });
    const other = (n: number): number => (n + 1) % V;
    const later = at({ ids: host([2, T], ids.map(row => row.with(4, other(row[4]!))).flat(), 'i32') });
    for (const row of [0, 1]) {
      const from = row * T * V;
      expect(later.subarray(from, from + 4 * V)).toEqual(all.subarray(from, from + 4 * V));
      expect(gap(later.subarray(from + 4 * V, from + 5 * V), all.subarray(from + 4 * V, from + 5 * V))).toBeGreaterThan(
        1e-3,
      );
    }
    const changed = (place: number): Float32Array =>
      at({ source: host([2, S], sources.map(row => row.with(place, other(row[place]!))).flat(), 'i32') });
    const [hidden, first, last] = [changed(5), changed(0), changed(3)];
    const second = (x: Float32Array): Float32Array => x.subarray(T * V);
    expect(second(hidden)).toEqual(second(all)); // the second source has four tokens
    expect(gap(hidden.subarray(0, V), all.subarray(0, V))).toBeGreaterThan(1e-3);
    expect(gap(second(first), second(all))).toBeGreaterThan(1e-3);
    expect(gap(second(last), second(all))).toBeGreaterThan(1e-3);
  });

  it('gives every parameter a gradient', () => {
    const names = Object.keys(parameterTypes(model));
    const slopes = run(model, params, feeds, (bound: Call, x) => {
      const out = logSoftmax(bound(x['source']!, x['sourceMask']!, x['ids']!));
      const weights = constant(
        Array.from({ length: out.size }, (_x, i) => Math.sin(i)),
        out.shape,
      );
      const found = grad(
        out.mul(weights).sum(),
        names.map(name => x[name]!),
      );
      return Object.fromEntries(names.map((name, i) => [name, found[i]!]));
    });
    // Softmax does not see what moves all scores of a row alike.
    const silent = /(attention|cross)\.key\.bias$/;
    for (const name of names.filter(n => !silent.test(n)))
      expect([name, Math.max(...(slopes[name]!.data as Float32Array).map(Math.abs)) > 1e-5]).toEqual([name, true]);
  });

  it('counts its parameters without being built', () => {
    expect(encoderDecoderParameters(encoderDecoderConfig(config))).toBe(countParameters(model));
  });
});

it('tells every attention where it stands, and what the configuration has for it', () => {
  const told: unknown[] = [];
  const config = { ...tiny, cross: 'other', options: { attention: { a: 1 }, cross: { c: 2 } } };
  const source: PartSource = {
    part(point, name, given) {
      if (point === 'attention') told.push([name, given['role'], given['block'], given['a'], given['c']]);
      return { is: 'layer', memory: {}, params: {} };
    },
  };
  createEncoderDecoder(config, source);
  createEncoderDecoder({ ...tiny, depth: 1, options: { attention: { a: 1 } } }, source);
  expect(told.splice(5)).toEqual([
    ['standard', 'encoder', 0, 1, undefined],
    ['standard', 'decoder', 0, 1, undefined],
    ['standard', 'cross', 0, 1, undefined],
  ]);
  expect(told).toEqual([
    ['standard', 'encoder', 0, 1, undefined],
    ['standard', 'decoder', 0, 1, undefined],
    ['other', 'cross', 0, undefined, 2],
    ['standard', 'decoder', 1, 1, undefined],
    ['other', 'cross', 1, undefined, 2],
  ]);
});

it.each([
  [
    'a source that is too long',
    { source: host([2, 10], tokens(20), 'i32'), sourceMask: host([2, 10], new Array(20).fill(1)) },
    'raise `sourceLength`',
  ],
  ['a text that is too long', { ids: host([2, 13], tokens(26), 'i32') }, 'raise `length`'],
])('refuses %s', (_, change, message) => {
  const model = createEncoderDecoder(tiny);
  expect(() => whole(model, lively(model), { ...feeds, ...change })).toThrow(
    expect.objectContaining({ code: 'E_LENGTH', message: expect.stringContaining(message) as string }),
  );
});

it('refuses a name of the other architecture only where it does not belong', () => {
  expect(() => encoderDecoderConfig({ ...tiny, encoderDepth: 0 })).toThrow(
    expect.objectContaining({ message: expect.stringContaining('encoder-decoder: encoderDepth') as string }),
  );
});
