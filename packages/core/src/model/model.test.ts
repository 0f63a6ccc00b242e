import { describe, expect, it } from 'vitest';
import { i32, f32 } from '../ir/types.js';
import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { randomUniform, streamOf } from '../random/philox.js';
import { host } from '../tensor/evaluate.js';
import { full, type Tensor } from '../tensor/tensor.js';
import { trace } from '../tensor/trace.js';
import {
  affine,
  bind,
  countParameters,
  defineLayer,
  dropout,
  embedding,
  initialise,
  layerNormLayer,
  linear,
  normal,
  ones,
  param,
  parametersOf,
  parameterTypes,
  rmsNormLayer,
  xavier,
  zeros,
} from './index.js';

const block = (width: number) =>
  defineLayer({
    name: 'block',
    params: { norm: rmsNormLayer(width), up: affine(width, 3) },
    apply: ({ norm, up }, x: Tensor) => up(norm(x)),
  });
const model = defineLayer({
  name: 'model',
  params: {
    embed: embedding(5, 2),
    blocks: [block(2), block(2)],
    head: { weight: param([3, 4], xavier), deep: { scale: param([], ones) } },
  },
  apply: ({ embed, blocks, head }, ids: Tensor) => blocks[0]!(embed(ids)).matmul(head.weight).mul(head.deep.scale),
});
const paths = [
  'embed.weight',
  'blocks.0.norm.weight',
  'blocks.0.up.weight',
  'blocks.0.up.bias',
  'blocks.1.norm.weight',
  'blocks.1.up.weight',
  'blocks.1.up.bias',
  'head.weight',
  'head.deep.scale',
];

describe('parameter trees', () => {
  it('name parameters by their path, in the order of declaration', () => {
    expect(Object.keys(parametersOf(model))).toEqual(paths);
    expect(parameterTypes(model)['blocks.1.up.weight']).toEqual(f32(2, 3));
    expect(countParameters(model)).toBe(10 + 2 * (2 + 6 + 3) + 12 + 1);
  });

  it('start the same for the same seed, otherwise for another', () => {
    expect(initialise(model, 7)).toEqual(initialise(model, 7));
    expect(initialise(model, 7)['head.weight']).not.toEqual(initialise(model, 8)['head.weight']);
    expect(initialise(model, 2 ** 40)['head.weight']).not.toEqual(initialise(model, 0)['head.weight']);
  });

  it('adding a parameter changes no other', () => {
    const more = defineLayer({
      name: 'more',
      params: { first: param([9], normal(1)), ...model.params, last: linear(2, 2) },
      apply: (_bound, x: Tensor) => x,
    });
    const [before, after] = [initialise(model, 3), initialise(more, 3)];
    for (const path of paths) expect(after[path], path).toEqual(before[path]);
  });

  it('two parameters of one shape start apart', () => {
    const start = initialise(model, 0);
    expect(start['blocks.0.up.weight']!.data).not.toEqual(start['blocks.1.up.weight']!.data);
  });

  it('bind tensors where declarations stand, and name one that is missing', () => {
    const tensors = Object.fromEntries(
      Object.entries(parameterTypes(model)).map(([name, { shape }]) => [name, full(shape, 1)]),
    );
    const bound = bind(model, tensors, { training: false });
    expect(bound.head.weight).toBe(tensors['head.weight']);
    expect(bound.blocks[1]!.up.bias).toBe(tensors['blocks.1.up.bias']);
    expect(bound(full([2, 3], 0, 'i32')).shape).toEqual([2, 3, 4]);
    const { 'head.deep.scale': _gone, ...rest } = tensors;
    expect(() => bind(model, rest, { training: false })).toThrow(
      expect.objectContaining({ code: 'E_PARAMETER', message: expect.stringContaining("parameter 'head.deep.scale'") }),
    );
  });

  it('refuse names that no file could hold', () => {
    for (const name of ['context', 'a.b', '']) {
      expect(() =>
        defineLayer({ name: 'odd', params: { [name]: param([1], ones) }, apply: (_bound, x: Tensor) => x }),
      ).toThrow(expect.objectContaining({ code: 'E_NAME', message: expect.stringContaining(`parameter '${name}'`) }));
    }
  });
});

describe('initialisers', () => {
  const shape = [64, 128];
  const numbers = (init: { fill(s: readonly number[], u: () => number): Float32Array }): number[] => [
    ...initialise(param(shape, init as typeof ones), 1)['']!.data,
  ];
  const deviation = (x: readonly number[]): number => Math.sqrt(x.reduce((n, v) => n + v * v, 0) / x.length);
  it('have the mean, spread and bounds that they promise', () => {
    expect(new Set(numbers(zeros))).toEqual(new Set([0]));
    expect(new Set(numbers(ones))).toEqual(new Set([1]));
    const gauss = numbers(normal(0.02));
    expect(deviation(gauss)).toBeCloseTo(0.02, 3);
    expect(Math.abs(gauss.reduce((a, b) => a + b) / gauss.length)).toBeLessThan(0.001);
    const bound = Math.sqrt(6 / (64 + 128));
    const glorot = numbers(xavier);
    expect(Math.max(...glorot.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(deviation(glorot)).toBeCloseTo(bound / Math.sqrt(3), 2);
  });
});

describe('layers', () => {
  /** The layer's output for these parameters and inputs. */
  const run = (
    layer: ReturnType<typeof affine> | ReturnType<typeof layerNormLayer>,
    x: number[][],
    params: Record<string, ReturnType<typeof host>>,
  ): number[] => {
    const types = {
      x: f32(x.length, x[0]!.length),
      ...Object.fromEntries(Object.entries(params).map(([n, t]) => [`p.${n}`, { dtype: t.dtype, shape: t.shape }])),
    };
    const graph = trace(types, inputs => ({
      y: bind(
        layer,
        Object.fromEntries(Object.keys(params).map(n => [n, (inputs as Record<string, Tensor>)[`p.${n}`]!])),
        { training: false },
      )(inputs.x),
    }));
    const feeds = {
      x: host([x.length, x[0]!.length], x.flat()),
      ...Object.fromEntries(Object.entries(params).map(([n, t]) => [`p.${n}`, t])),
    };
    return [...interpret(expandOps(graph), feeds, 'f32')['y']!.data];
  };
  it('affine is x W + b', () => {
    expect(
      run(
        affine(2, 2),
        [
          [1, 2],
          [3, 4],
        ],
        { weight: host([2, 2], [1, 10, 100, 1000]), bias: host([2], [0.5, -0.5]) },
      ),
    ).toEqual([201.5, 2009.5, 403.5, 4029.5]);
  });
  it('layerNorm takes rows to mean 0 and deviation 1', () => {
    const [a, b, c] = run(layerNormLayer(3, { epsilon: 0 }), [[1, 2, 3]], {
      weight: host([3], [1, 1, 1]),
      bias: host([3], [0, 0, 5]),
    }) as [number, number, number];
    expect(a).toBeCloseTo(-Math.sqrt(1.5), 5);
    expect(b).toBeCloseTo(0, 5);
    expect(c).toBeCloseTo(5 + Math.sqrt(1.5), 5);
  });
});

describe('dropout', () => {
  const two = defineLayer({
    name: 'two',
    params: { first: dropout(0.5), second: dropout(0.5) },
    apply: ({ first, second }, x: Tensor) => ({ a: first(x), b: second(x), c: first(x) }),
  });
  const masks = (training: boolean, key: readonly [number, number], layer = two) => {
    const graph = trace({ key: i32(2), x: f32(200) }, inputs =>
      bind(layer, {}, { training, key: inputs.key })(inputs.x),
    );
    const { a, b, c } = interpret(
      graph,
      { key: host([2], key, 'i32'), x: host([200], new Array<number>(200).fill(1)) },
      'f32',
    ) as Record<'a' | 'b' | 'c', ReturnType<typeof host>>;
    return { a: [...a.data], b: [...b.data], c: [...c.data] };
  };
  it('is keyed by seed, step, path and call', () => {
    const now = masks(true, [1, 2]);
    expect(masks(true, [1, 2])).toEqual(now);
    expect(now.a).not.toEqual(now.b);
    expect(now.a).not.toEqual(now.c);
    expect(masks(true, [1, 3]).a).not.toEqual(now.a);
    expect(masks(true, [2, 2]).a).not.toEqual(now.a);
    const bits = new Float32Array(200);
    randomUniform(bits, 1, 2, streamOf('first#0'));
    expect(now.a).toEqual([...bits].map(u => (u < Math.fround(0.5) ? 2 : 0)));
  });
  it('does not move when another layer draws before it', () => {
    const swapped = defineLayer({
      name: 'swapped',
      params: { first: dropout(0.5), second: dropout(0.5), noise: dropout(0.1) },
      apply: ({ first, second, noise }, x: Tensor) => {
        noise(x);
        const b = second(x);
        return { a: first(x), b, c: first(x) };
      },
    });
    expect(masks(true, [1, 2], swapped as unknown as typeof two)).toEqual(masks(true, [1, 2]));
  });
  it('drops about its share, keeps the mean, and does nothing in evaluation or at rate 0', () => {
    const { a } = masks(true, [4, 0]);
    expect(a.filter(x => x === 0).length).toBeGreaterThan(70);
    expect(a.filter(x => x === 0).length).toBeLessThan(130);
    expect(new Set(a)).toEqual(new Set([0, 2]));
    expect(new Set(masks(false, [4, 0]).a)).toEqual(new Set([1]));
    const x = full([3], 1);
    expect(bind(dropout(0), {}, { training: true })(x)).toBe(x);
  });
  it('refuses rates that drop all, and training without a key', () => {
    for (const rate of [1, -0.1, NaN])
      expect(() => dropout(rate)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    expect(() => bind(two, {}, { training: true }, 'head')(full([3], 1))).toThrow(
      expect.objectContaining({ code: 'E_RANDOM_KEY', message: expect.stringContaining('head.first') }),
    );
  });
});
