/** Adapters of mmt-merge on the models of others: over a cache they decode what the folded model decodes, whatever the parts. */

import { createHost, initialise, openReference, uniforms, type AnyLayer, type HostTensor } from '@heddle/core';
import emha from '@heddle/attention-emha';
import partial from '@heddle/ffn-partial';
import { adaptedLayers, foldLora, isLoraPath, loraConfig, loraOf, stackLora, withLora } from '@heddle/mmt-merge';
import transformer, {
  createBeamSearch,
  createDecoder,
  createEncoderDecoder,
  createGenerator,
  createProgram,
  openSession,
  partsOf,
} from '@heddle/transformer';
import { afterAll, describe, expect, it } from 'vitest';

type Tensors = Readonly<Record<string, HostTensor>>;

/** Every number moved, so that adapters do something. */
const shaken = (model: AnyLayer, seed: number): Record<string, HostTensor> => {
  const draw = uniforms(seed, 1);
  return Object.fromEntries(
    Object.entries(initialise(model, seed)).map(([path, t]) => [path, { ...t, data: Float32Array.from(t.data, x => x + 0.4 * (draw() - 0.5)) }]),
  ); // prettier-ignore
};
const baseOf = (parameters: Tensors): Tensors =>
  Object.fromEntries(Object.entries(parameters).filter(([path]) => !isLoraPath(path)));

const shape = { vocabulary: 17, length: 24, width: 16, depth: 2, heads: 2 };
const parts = {
  plain: {},
  emha: { attention: 'emha' },
  partial: { attention: 'partial', ffn: 'none' },
} as const;

it.each(Object.entries(parts))('of a decoder with %s parts', async (_, own) => {
  const host = createHost({ plugins: [transformer, emha, partial] });
  const base = createDecoder({ ...shape, ...own }, partsOf(host));
  const lora = { rank: 2 };
  expect(adaptedLayers(base, loraConfig(lora)).size).toBeGreaterThan(0);
  const model = withLora(base, lora);
  const parameters = shaken(model, 1);
  const weights = baseOf(parameters);
  const backend = openReference();
  const decoded = async (of: typeof base, params: Readonly<Record<string, HostTensor>>): Promise<readonly number[]> => {
    const program = createProgram({ model: of, params, backend }, 1, 12);
    const session = await openSession(program, [4]);
    const path = session.open(0);
    const logits: number[] = [];
    for (const ids of [[1, 2, 3, 4], [5], [6]]) logits.push(...(await session.feed([{ path, ids }]))[0]!.logits);
    await session.close();
    await program.close();
    return logits;
  };
  const beside = await decoded(model, parameters);
  const within = await decoded(base, foldLora(weights, loraOf(parameters), lora));
  const without = await decoded(base, weights);
  for (const [i, x] of beside.entries()) expect(Math.abs(x - within[i]!)).toBeLessThan(1e-4 * (1 + Math.abs(x)));
  expect(beside.some((x, i) => Math.abs(x - without[i]!) > 1e-2)).toBe(true);
  await backend.close();
  await host.close();
});

/** PartialFormer's small layers compute with their matrices themselves, and one matrix a row is none of theirs. */
const called: Readonly<Record<string, readonly string[]>> = {
  partial: ['query', 'key', 'value', 'gate', 'output'].map(name => `*.inner.${name}`),
};

describe.each(Object.entries(parts))(
  'texts of one batch, each with an adapter of its own, with %s parts',
  (name, own) => {
    const layers = called[name];
    const host = createHost({ plugins: [transformer, emha, partial] });
    const backend = openReference();
    const lora = { rank: 2, alpha: 3, ...(layers ? { layers } : {}) };
    afterAll(async () => {
      expect(backend.live()).toBe(0);
      await backend.close();
      await host.close();
    });
    const prompts = [
      [1, 2, 3],
      [4, 5],
      [1, 2, 3],
      [6, 7, 8],
      [1, 2, 3],
    ];
    const variants = [0, 2, 1, 1, 2];

    it('are what each gives alone, by sampling', async () => {
      const base = createDecoder({ ...shape, ...own }, partsOf(host));
      const model = withLora(base, lora);
      const weights = baseOf(shaken(model, 1));
      const adapters = [2, 3, 4].map(seed => loraOf(shaken(model, seed)));
      const how = { temperature: 0.8, maxTokens: 6, seed: 5 };
      const mixed = createGenerator({ model, params: weights, variants: stackLora(adapters), backend, batch: 2, prefillLengths: [4] }); // prettier-ignore
      const found = await mixed.complete(prompts, { ...how, variants });
      await expect(mixed.complete(prompts, { ...how, variants: [0, 0, 0, 0, 3] })).rejects.toMatchObject({ code: 'E_PROMPT' }); // prettier-ignore
      await expect(mixed.complete(prompts, { ...how, variants: [0] })).rejects.toMatchObject({ code: 'E_PROMPT' });
      await mixed.close();
      for (const [k, adapter] of adapters.entries()) {
        const alone = createGenerator({
          model: base,
          params: foldLora(weights, adapter, lora),
          backend,
          prefillLengths: [4],
        });
        const expected = await alone.complete(prompts, how);
        await alone.close();
        for (const [row, variant] of variants.entries()) {
          if (variant !== k) continue;
          expect(found[row]!.ids).toEqual(expected[row]!.ids);
          for (const [i, x] of found[row]!.logProbabilities.entries()) expect(x).toBeCloseTo(expected[row]!.logProbabilities[i]!, 4); // prettier-ignore
        }
      }
      expect(new Set([0, 2, 4].map(row => found[row]!.ids.join())).size).toBeGreaterThan(1); // the same prompt
    });

    it('are what each gives alone, by beams from sources', async () => {
      const base = createEncoderDecoder({ ...shape, sourceLength: 8, ...own }, partsOf(host));
      const model = withLora(base, lora);
      const weights = baseOf(shaken(model, 1));
      const adapters = [2, 3, 4].map(seed => loraOf(shaken(model, seed)));
      const how = { sources: prompts, stop: [0], maxTokens: 5 };
      const begin = prompts.map(() => [9]);
      const mixed = createBeamSearch({ model, params: weights, variants: stackLora(adapters), backend, batch: 3, beams: 2 }); // prettier-ignore
      const found = await mixed.complete(begin, { ...how, variants });
      await mixed.close();
      for (const [k, adapter] of adapters.entries()) {
        const alone = createBeamSearch({ model: base, params: foldLora(weights, adapter, lora), backend, beams: 2 });
        const expected = await alone.complete(begin, how);
        await alone.close();
        for (const [row, variant] of variants.entries()) {
          if (variant !== k) continue;
          expect(found[row]!.map(({ ids }) => ids)).toEqual(expected[row]!.map(({ ids }) => ids));
          for (const [i, { score }] of found[row]!.entries()) expect(score).toBeCloseTo(expected[row]![i]!.score, 4);
        }
      }
    });
  },
);

it('variants that are not of the model, or not as many of each, are refused', () => {
  const model = withLora(createDecoder(shape), { rank: 2 });
  const weights = baseOf(shaken(model, 1));
  const stacked = stackLora([2, 3].map(seed => loraOf(shaken(model, seed))));
  const backend = openReference();
  const refused = (variants: Tensors) => () => createProgram({ model, params: weights, variants, backend }, 1, 4);
  const [first] = Object.keys(stacked);
  const { shape: own, data } = stacked[first!]!;
  const half = { dtype: 'f32' as const, shape: [1, ...own.slice(1)], data: data.slice(0, data.length / 2) as Float32Array }; // prettier-ignore
  expect(refused({ ...stacked, [first!]: half })).toThrow(expect.objectContaining({ code: 'E_PARAMETER' }));
  expect(refused({ ...stacked, nothing: half })).toThrow(expect.objectContaining({ code: 'E_PARAMETER' }));
  expect(refused({})).toThrow(expect.objectContaining({ code: 'E_PARAMETER' })); // the adapters are missing
});
