/** Adapters against their definition: folded into the base, counted by hand, trained without the base. */

import {
  adamW,
  affine,
  bind,
  constant,
  countParameters,
  defineLayer,
  evaluateAll,
  embedding,
  f32,
  host,
  i32,
  initialise,
  linear,
  openReference,
  parameterTypes,
  parametersIn,
  train,
  uniforms,
  type HostTensor,
  type Objective,
  type Tensor,
} from '@heddle/core';
import fc from 'fast-check';
import { lastValueFrom, tap } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { countLora, foldLora, isLoraPath, linearShapes, loraOf, ofRows, stackLora, withLora } from './lora.js';

/** Two blocks of two linear layers, an embedding that is none, and a head. */
const [V, D, H] = [7, 4, 6];
const block = () =>
  defineLayer({
    name: 'block',
    params: { up: linear(D, H), down: affine(H, D) },
    apply: ({ up, down }, x: Tensor) => x.add(down(up(x).tanh())),
  });
const model = defineLayer({
  name: 'toy',
  params: { embed: embedding(V, D), blocks: [block(), block()], head: linear(D, V) },
  apply: ({ embed, blocks, head }, ids: Tensor) => head(blocks.reduce((x, each) => each(x), embed(ids))),
});

const drawn = (tree: Parameters<typeof parameterTypes>[0], seed: number): Record<string, HostTensor> => {
  const draw = uniforms(seed, 1);
  return Object.fromEntries(
    Object.entries(parameterTypes(tree)).map(([path, { shape }]) => [
      path,
      {
        dtype: 'f32' as const,
        shape,
        data: Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => draw() - 0.5),
      },
    ]),
  );
};
const ids = [1, 5, 0, 3, 2, 6];
const logitsOf = (
  tree: typeof model,
  parameters: Readonly<Record<string, HostTensor>>,
  rows: readonly (readonly number[])[] = [ids],
  bindWith: (tensors: Record<string, Tensor>) => Record<string, Tensor> = tensors => tensors,
): Float32Array => {
  const names = Object.keys(parameters);
  const { logits } = evaluateAll(
    (...tensors) => {
      const own = Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
      return { logits: bind(tree, bindWith(own), { training: false })(tensors.at(-1)!) };
    },
    [...names.map(name => parameters[name]!), host([rows.length, rows[0]!.length], rows.flat(), 'i32')],
  );
  return logits!.data as Float32Array;
};

const patterns = { all: undefined, some: ['blocks.*.up', 'head'] } as const;
const adapted = (layers: readonly string[] | undefined, rank = 3) =>
  withLora(model, { rank, alpha: 5, ...(layers ? { layers } : {}) });

describe('an adapter', () => {
  it('is nothing at the start, and has the base under the same names', () => {
    const tree = adapted(patterns.all);
    const parameters = initialise(tree, 3);
    const base = Object.fromEntries(Object.entries(parameters).filter(([path]) => !isLoraPath(path)));
    expect(base).toEqual(initialise(model, 3));
    expect(logitsOf(tree, parameters)).toEqual(logitsOf(model, base));
    const a = parameters['blocks.0.up.loraA']!.data as Float32Array;
    expect(a.every(x => Math.abs(x) <= 1 / Math.sqrt(D))).toBe(true);
    expect(new Set(a).size).toBe(a.length);
  });

  it.each(Object.entries(patterns))(
    'on %s layers does what the folded base does, and the base is as it was',
    (_, layers) => {
      fc.assert(
        fc.property(fc.integer({ min: 1, max: 6 }), fc.nat(1000), (rank, seed) => {
          const tree = adapted(layers, rank);
          const parameters = drawn(tree, seed);
          const base = Object.fromEntries(Object.entries(parameters).filter(([path]) => !isLoraPath(path)));
          const before = structuredClone(base);
          const folded = foldLora(base, loraOf(parameters), { rank, alpha: 5 });
          const [beside, within] = [logitsOf(tree, parameters), logitsOf(model, folded)];
          for (const [i, x] of beside.entries())
            expect(Math.abs(x - within[i]!)).toBeLessThan(1e-5 * (1 + Math.abs(x)) * 4);
          expect(logitsOf(model, base)).not.toEqual(within);
          expect(base).toEqual(before);
        }),
        { numRuns: 25 },
      );
    },
  );

  it('counts what it adds', () => {
    for (const layers of Object.values(patterns)) {
      const options = { rank: 3, ...(layers ? { layers } : {}) };
      expect(countLora(model, options)).toBe(countParameters(withLora(model, options)) - countParameters(model));
    }
    expect(countLora(model, { rank: 3 })).toBe(3 * 4 * (D + H));
    expect(Object.keys(linearShapes(model))).toEqual([
      'blocks.0.up',
      'blocks.0.down',
      'blocks.1.up',
      'blocks.1.down',
      'head',
    ]);
  });

  it('of each row is the same as of one row at a time', () => {
    const tree = adapted(patterns.all);
    const base = drawn(model, 1);
    const adapters = [5, 6, 7].map(seed => loraOf(drawn(tree, seed)));
    const rows = [ids, [2, 2, 4, 1, 0, 5], ids, [6, 5, 4, 3, 2, 1]];
    const chosen = [2, 0, 1, 2];
    const stacked = stackLora(adapters);
    const mixed = logitsOf(tree, { ...base, ...stacked }, rows, tensors => ({
      ...tensors,
      ...ofRows(
        Object.fromEntries(Object.keys(stacked).map(path => [path, tensors[path]!])),
        constant(chosen, [4], 'i32'),
      ),
    }));
    const size = ids.length * V;
    for (const [b, row] of rows.entries())
      expect(mixed.slice(b * size, (b + 1) * size)).toEqual(
        logitsOf(tree, { ...base, ...adapters[chosen[b]!]! }, [row]),
      );
  });

  it('that does not fit is refused by name', () => {
    const base = drawn(model, 1);
    const adapter = loraOf(drawn(adapted(patterns.all), 1));
    const { 'blocks.0.up.loraB': _, ...half } = adapter;
    expect(() => foldLora(base, half, { rank: 3 })).toThrow(expect.objectContaining({ code: 'E_ADAPTER', message: expect.stringContaining('blocks.0.up') })); // prettier-ignore
    expect(() => foldLora(base, adapter, { rank: 2 })).toThrow(/loraA \[4, 2\].*received \[4, 3\]/);
    expect(() => stackLora([adapter, loraOf(drawn(adapted(patterns.all, 2), 1))])).toThrow(/one rank/);
    expect(() => withLora(model, { rank: 3, layers: ['blocks.*.gate'] })).toThrow(expect.objectContaining({ code: 'E_CONFIG' })); // prettier-ignore
    for (const wrong of [
      { rank: 0 },
      { rank: 1.5 },
      { rank: 2, alpha: 0 },
      { rank: 2, dropout: 1 },
      { rank: 2, layers: [] },
    ])
      expect(() => withLora(model, wrong)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

/** Squared distance of the logits from a target. */
const objective: Objective = {
  name: 'near',
  batch: () => ({ ids: i32(1, 6), target: f32(1, 6, V) }),
  loss(bound, { ids: own, target }) {
    const apart = (bound as unknown as (ids: Tensor) => Tensor)(own!).sub(target!);
    return { sum: apart.mul(apart).sum(), count: target!.mul(0).add(1).sum() };
  },
};

const initialOf = (tree: typeof model) => ({ ...initialise(tree, 3), ...drawn(model, 4) });

async function trained(options: { readonly rank: number; readonly dropout?: number }, steps: number) {
  const tree = withLora(model, { ...options, layers: ['*'] });
  const backend = openReference();
  const target = drawn(defineLayer({ name: 't', params: { x: linear(6, V) }, apply: () => null }), 9)['x.weight']!;
  const losses: number[] = [];
  let end: Readonly<Record<string, HostTensor>> = {};
  await lastValueFrom(
    train({
      name: 'adapter',
      model: tree,
      objective,
      optimizer: adamW({ weightDecay: 0 }),
      schedule: () => 0.02,
      data: {
        next: async () => ({ batch: { ids: host([1, 6], ids, 'i32'), target: { ...target, shape: [1, 6, V] } }, tokens: 6, cursor: 0 }), // prettier-ignore
        seek: async () => {},
        close: async () => {},
      },
      backend,
      steps,
      initial: initialOf(tree),
      trains: isLoraPath,
    }).pipe(
      tap(event => {
        if (event.type === 'step.finished') losses.push(event.loss);
        if (event.type === 'run.finished') event.waitUntil(event.snapshot().then(({ tensors }) => (end = tensors)));
      }),
    ),
  );
  await backend.close();
  return { losses, end, tree };
}

describe('training an adapter', () => {
  it('moves it alone, keeps state of it alone, and learns', async () => {
    const { losses, end, tree } = await trained({ rank: 3 }, 60);
    expect(losses.at(-1)!).toBeLessThan(losses[0]! / 2);
    const before = initialOf(tree);
    for (const [path, { data }] of Object.entries(parametersIn(end)))
      if (isLoraPath(path)) expect(data).not.toEqual(before[path]!.data);
      else expect(data).toEqual(before[path]!.data);
    const states = Object.keys(end).filter(name => name.startsWith('state.'));
    expect(states.length).toBe(2 * Object.keys(loraOf(before)).length);
    expect(states.every(name => /\.lora[AB]\./.test(name))).toBe(true);
  });

  it('drops what goes into it, and nothing of the base', async () => {
    // At the first step B is zero, and so the loss is that of the base, whatever is dropped.
    const [plain, dropped] = [await trained({ rank: 3 }, 3), await trained({ rank: 3, dropout: 0.5 }, 3)];
    expect(dropped.losses[0]).toBe(plain.losses[0]);
    expect(dropped.losses[2]).not.toBe(plain.losses[2]);
  });
});
