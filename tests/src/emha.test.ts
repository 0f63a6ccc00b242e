/** EMHA inside a model of another package: found by name, decoded over a cache, trained. */

import emha, { emhaPart, headSimilarity } from '@heddle/attention-emha';
import {
  bind,
  createHost,
  evaluate,
  host,
  initialise,
  iota,
  isHeddleError,
  openReference,
  parameterTypes,
  uniforms,
  type AttentionView,
  type Backend,
  type DecoderModel,
  type HostTensor,
} from '@heddle/core';
import {
  createDecoder,
  createProgram,
  decoderPresets,
  openSession,
  partsOf,
  type DecodeSession,
  type Outlook,
  type PartialDecoderConfig,
  type PartOptions,
} from '@heddle/transformer';
import transformer from '@heddle/transformer';
import { describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';
import { learning } from './support/training.js';

const V = 19;
const parts = partsOf(createHost({ plugins: [transformer, emha] }));
const decoder = (attention: PartOptions = {}, more: Partial<PartialDecoderConfig> = {}): DecoderModel =>
  createDecoder(
    {
      vocabulary: V,
      ...decoderPresets.tiny,
      width: 16,
      length: 24,
      attention: 'emha',
      options: { attention },
      ...more,
    },
    parts,
  );

/** Parameters far from their small beginning, so that mistakes show. */
function lively(model: DecoderModel): Record<string, HostTensor> {
  const draw = uniforms(1, 99);
  return Object.fromEntries(
    Object.entries(initialise(model, 1)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 0.4 * (draw() - 0.5)) },
    ]),
  );
}

const tokens = (length: number, seed: number): number[] => {
  const draw = uniforms(seed, 3);
  return Array.from({ length }, () => Math.floor(V * draw()));
};

/** Logits of a whole text. @shape -> [T][V] */
function whole(model: DecoderModel, params: Record<string, HostTensor>, ids: readonly number[]): number[][] {
  const names = Object.keys(parameterTypes(model));
  const out = evaluate(
    (...x) => bind(model, Object.fromEntries(names.map((name, i) => [name, x[i + 1]!])), { training: false })(x[0]!),
    host([1, ids.length], ids, 'i32'),
    ...names.map(name => params[name]!),
  );
  return ids.map((_, t) => Array.from(out.data.slice(t * V, (t + 1) * V)));
}

async function withSession<T>(
  model: DecoderModel,
  params: Record<string, HostTensor>,
  body: (session: DecodeSession) => Promise<T>,
  { batch = 1, backend = openReference() }: { readonly batch?: number; readonly backend?: Backend } = {},
): Promise<T> {
  const program = createProgram({ model, params, backend }, batch, 21);
  const session = await openSession(program, [1, 4]);
  try {
    return await body(session);
  } finally {
    await session.close();
    await program.close();
    expect(backend.live()).toBe(0);
    await backend.close();
  }
}

const gap = (a: readonly number[], b: ArrayLike<number>): number => Math.max(...a.map((x, i) => Math.abs(x - b[i]!)));
const logits = ({ logits: found }: Outlook): number[] => Array.from(found);

const variants: readonly (readonly [string, PartOptions, Partial<PartialDecoderConfig>])[] = [
  ['as it is', {}, {}],
  ['with fewer key heads and biases', {}, { keyHeads: 2, bias: true }],
  ['light, with learned positions', { preset: 'light' }, { positions: 'learned' }],
  ['with wide kernels', { preset: 'repo' }, {}],
  ['as a single map', { form: 'map', innerKernel: 3 }, { positions: 'sinusoidal' }],
  ['without cross interaction', { cross: false }, {}],
  ['with relative positions', { relative: 3 }, { keyHeads: 2 }],
];

describe.each(variants)('a decoder with EMHA %s', (_, attention, more) => {
  const model = decoder(attention, more);
  const params = lively(model);
  const ids = tokens(11, 5);
  const expected = whole(model, params, ids);

  it('expects after each token of a cache what it expects in the whole text', () =>
    withSession(model, params, async session => {
      const path = session.open(0);
      for (const [t, id] of ids.entries()) {
        const [outlook] = await session.feed([{ path, ids: [id] }]);
        expect(gap(logits(outlook!), expected[t]!)).toBeLessThan(1e-4);
      }
    }));

  it('takes a prompt in pieces of any length', () =>
    withSession(model, params, async session => {
      const path = session.open(0);
      let fed = 0;
      for (const length of [4, 1, 5, 1]) {
        const [outlook] = await session.feed([{ path, ids: ids.slice(fed, (fed += length)) }]);
        expect(gap(logits(outlook!), expected[fed - 1]!)).toBeLessThan(1e-4);
      }
    }));

  it('gives each row of a batch of prompts of different lengths what it gives the row alone', () =>
    withSession(
      model,
      params,
      async session => {
        const rows = [ids, ids.slice(0, 3), tokens(6, 8)];
        const outlooks = await session.feed(rows.map((row, slot) => ({ path: session.open(slot), ids: row })));
        for (const [i, row] of rows.entries())
          expect(gap(logits(outlooks[i]!), whole(model, params, row).at(-1)!)).toBeLessThan(1e-4);
      },
      { batch: 3 },
    ));
});

describe('a decoder with EMHA', () => {
  it.each([{}, { relative: 3 }])('forks a text: each path is as if it were alone, %o', attention => {
    const model = decoder(attention);
    const params = lively(model);
    return withSession(model, params, async session => {
      const trunk = session.open(0);
      await session.feed([{ path: trunk, ids: [3, 1, 4, 1, 5] }]);
      const paths = [trunk, session.fork(trunk)];
      const branches = [[7], [8, 2, 6]];
      const outlooks = await session.feed(paths.map((path, i) => ({ path, ids: branches[i]! })));
      for (const [i, branch] of branches.entries())
        expect(gap(logits(outlooks[i]!), whole(model, params, [3, 1, 4, 1, 5, ...branch]).at(-1)!)).toBeLessThan(1e-4);
    });
  });

  it('says which option of the attention is wrong', () => {
    const refused = (make: () => unknown): string => {
      try {
        make();
        return 'nothing';
      } catch (error) {
        if (isHeddleError(error)) return `${error.code} ${error.message}`;
        throw error;
      }
    };
    expect(refused(() => decoder({ kernel: 3 }))).toMatch(
      /^E_CONFIG emha: options: expected some of .* received "kernel"/,
    );
    expect(refused(() => decoder({ innerKernel: 2 }))).toMatch(/^E_CONFIG emha: innerKernel: expected an odd number/);
  });

  it('hands the maps of a block on, for diagnostics and later layers', () => {
    const part = emhaPart({ width: 8, heads: 2 });
    const names = Object.keys(parameterTypes(part));
    const params = initialise(part, 1);
    const draw = uniforms(2, 2);
    const x = host([1, 3, 8], Array.from({ length: 24 }, draw));
    const similarity = evaluate(
      (...t) => {
        const handed = new Map();
        const view: AttentionView = {
          mask: t[0]!.sum().mul(0).broadcastTo([1, 1, 3, 3]),
          positions: { embedding: null, angles: null },
          at: iota([1, 3], 1, 'f32'),
          remember: (_, make) => make(),
          handed,
        };
        bind(part, Object.fromEntries(names.map((name, i) => [name, t[i + 1]!])), { training: false })(t[0]!, view);
        return headSimilarity(handed.get('emha.probabilities'));
      },
      x,
      ...names.map(name => params[name]!),
    );
    expect(similarity.data[0]).toBeGreaterThan(0.5);
    expect(similarity.data[0]).toBeLessThanOrEqual(1);
  });
});

const [engine] = present(onnxBackends);
describe.skipIf(engine === undefined)('training a decoder with EMHA', () => {
  it.each([
    ['as it is', {}],
    ['light', { preset: 'light' }],
    ['with wide kernels', { preset: 'repo' }],
  ] as const)('%s: learns a text by heart', async (_, attention) => {
    const model = decoder(attention, { dropout: 0 });
    const ids = tokens(17, 4);
    const backend = await engine!.open();
    const losses = await learning(model, ids, backend, { steps: 80, rate: 0.02 });
    await backend.close();
    expect(losses[0]).toBeCloseTo(Math.log(V), 0);
    expect(losses.at(-1)).toBeLessThan(0.5);
  });
});

describe.each(present(onnxBackends))('a decoder with EMHA on $name', ({ open }) => {
  it.each(variants)(
    '%s: steps over a cache expect what the whole text does on the reference',
    async (_, attention, more) => {
      const model = decoder(attention, more);
      const params = lively(model);
      const ids = tokens(9, 6);
      const expected = whole(model, params, ids);
      await withSession(
        model,
        params,
        async session => {
          const path = session.open(0);
          const [prompt] = await session.feed([{ path, ids: ids.slice(0, 7) }]);
          expect(gap(logits(prompt!), expected[6]!)).toBeLessThan(1e-3);
          const [next] = await session.feed([{ path, ids: ids.slice(7) }]);
          expect(gap(logits(next!), expected[8]!)).toBeLessThan(1e-3);
        },
        { backend: await open() },
      );
    },
  );
});
