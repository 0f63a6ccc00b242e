import {
  bind,
  expandOps,
  f32,
  host,
  i32,
  initialise,
  interpret,
  logSoftmax,
  openReference,
  parameterTypes,
  trace,
  uniforms,
  type AnyLayer,
  type HostTensor,
  type GenerativeModel,
  type Tensor,
} from '@heddle/core';
import { lastValueFrom, take } from 'rxjs';
import { afterAll, describe, expect, it } from 'vitest';
import { createDecoder } from '../decoder.js';
import { createEncoderDecoder } from '../encoder-decoder.js';
import { createBeamSearch, type BeamSearchOptions, type Hypothesis, type SearchOptions } from './beam.js';
import { createGenerator } from './generator.js';

const V = 5;
const end = 4;
const size = { vocabulary: V, width: 8, heads: 2, depth: 1, length: 8 };

/** Parameters far from their small beginning, so that texts differ. */
function lively(model: AnyLayer): Record<string, HostTensor> {
  const draw = uniforms(3, 3);
  return Object.fromEntries(
    Object.entries(initialise(model, 2)).map(([name, t]) => [
      name,
      { ...t, data: Float32Array.from(t.data, x => x + 1.4 * (draw() - 0.5)) },
    ]),
  );
}
const models: readonly (readonly [string, GenerativeModel])[] = [
  ['a decoder', createDecoder(size)],
  ['an encoder-decoder', createEncoderDecoder({ ...size, sourceLength: 5 })],
];

const backend = openReference();
afterAll(async () => {
  expect(backend.live()).toBe(0);
  await backend.close();
});

const prompts = [[0], [1, 2], [3], [0], [2, 2]];
const texts = [[0, 1], [2, 3, 1, 0], [3], [1, 1, 1], [0, 2]];

describe.each(models)('beam search over %s', (_, model) => {
  const params = lively(model);
  const sources = model.kind === 'encoder-decoder' ? { sources: texts } : {};
  const sourcesOf = (rows: readonly number[]): Pick<SearchOptions, 'sources'> =>
    model.kind === 'encoder-decoder' ? { sources: rows.map(row => texts[row]!) } : {};

  /** Log-probabilities after the last token, by the model without a cache. */
  const forward = (row: number, ids: readonly number[]): readonly number[] => {
    const source = texts[row]!;
    const types = { ids: i32(1, ids.length), source: i32(1, source.length), sourceMask: f32(1, source.length) };
    const graph = trace({ ...parameterTypes(model), ...types }, inputs => {
      const bound = bind(model as AnyLayer, inputs as Record<string, Tensor>, { training: false }) as unknown as (
        ...x: Tensor[]
      ) => Tensor;
      const { source: from, sourceMask, ids: written } = inputs as Record<string, Tensor>;
      return { out: logSoftmax(model.kind === 'decoder' ? bound(written!) : bound(from!, sourceMask!, written!)) };
    });
    const feeds = {
      ...params,
      ids: host([1, ids.length], ids, 'i32'),
      source: host([1, source.length], source, 'i32'),
      sourceMask: host([1, source.length], new Array<number>(source.length).fill(1)),
    };
    return [...interpret(expandOps(graph), feeds, 'f32')['out']!.data].slice(-V);
  };

  const search = async (
    rows: readonly number[],
    options: Partial<SearchOptions>,
    more: Partial<BeamSearchOptions>,
  ): Promise<readonly (readonly Hypothesis[])[]> => {
    const made = createBeamSearch({ model, params, backend, ...more });
    try {
      return await made.complete(
        rows.map(row => prompts[row]!),
        { stop: [end], maxTokens: 3, ...sourcesOf(rows), ...options },
      );
    } finally {
      await made.close();
    }
  };

  it.each([0, 1, 0.6])(
    'finds all texts, ranked, with as many beams as there are (length penalty %s)',
    async penalty => {
      const all: { ids: number[]; score: number; logProbability: number }[] = [];
      const walk = (ids: readonly number[], logProbability: number): void => {
        if (ids.length === 3) return;
        const next = forward(1, [...prompts[1]!, ...ids]);
        all.push({
          ids: [...ids],
          logProbability: logProbability + next[end]!,
          score: (logProbability + next[end]!) / (ids.length + 1) ** penalty,
        });
        for (let id = 0; id < end; id++) walk([...ids, id], logProbability + next[id]!);
      };
      walk([], 0);
      all.sort((a, b) => b.score - a.score);
      const [found] = await search([1], { lengthPenalty: penalty }, { beams: 90 });
      const ended = found!.filter(({ reason }) => reason === 'stop');
      expect(ended.map(({ ids }) => ids)).toEqual(all.map(({ ids }) => ids));
      ended.forEach(({ score, logProbability }, i) => {
        expect(score).toBeCloseTo(all[i]!.score, 5);
        expect(logProbability).toBeCloseTo(all[i]!.logProbability, 5);
      });
      expect(found!.filter(({ reason }) => reason === 'length')).toHaveLength(64);
    },
  );

  it('is greedy with one beam', async () => {
    const generator = createGenerator({ model, params, backend });
    const greedy = await generator.complete(prompts, { temperature: 0, stop: [end], maxTokens: 4, ...sources });
    await generator.close();
    const found = await search([0, 1, 2, 3, 4], { maxTokens: 4 }, { beams: 1, batch: 2 });
    expect(found.map(([best]) => best!.ids)).toEqual(greedy.map(({ ids }) => ids));
  });

  it('finds the same for a row alone and among others, in any number of slots', async () => {
    const rows = [0, 1, 2, 3, 4];
    const together = await search(rows, {}, { beams: 3, batch: 2 });
    expect(await search(rows, {}, { beams: 3, batch: 5 })).toEqual(together);
    for (const row of rows) expect(await search([row], {}, { beams: 3 })).toEqual([together[row]]);
  });

  it('stops when nobody listens, and ends rows that are aborted with what they have', async () => {
    const made = createBeamSearch({ model, params, backend, beams: 2 });
    const first = await lastValueFrom(made.search(prompts, { stop: [end], maxTokens: 3, ...sources }).pipe(take(1)));
    // Rows are taken up in order, those with the longest sources first.
    const longest = Math.max(...texts.map(text => text.length));
    expect(first.row).toBe(model.kind === 'decoder' ? 0 : texts.findIndex(text => text.length === longest));
    const aborted = await made.complete(prompts, { stop: [end], signal: AbortSignal.abort(), ...sources });
    expect(aborted).toHaveLength(prompts.length);
    expect(aborted.flat().every(({ reason }) => reason === 'cancelled')).toBe(true);
    await made.close();
    await expect(made.complete(prompts, { stop: [end], ...sources })).rejects.toMatchObject({ code: 'E_CLOSED' });
  });

  it.each<[string, Partial<SearchOptions>, Partial<BeamSearchOptions>, string]>([
    ['no end', { stop: [] }, {}, 'E_CONFIG'],
    ['no room', { maxTokens: 0 }, {}, 'E_CONFIG'],
    ['no beams', {}, { beams: 0 }, 'E_CONFIG'],
    ['a prompt that does not fit', {}, { capacity: 1 }, 'E_LENGTH'],
    ['sources of another number', { sources: [[1]] }, {}, 'E_PROMPT'],
  ])('refuses %s', async (_what, options, more, code) => {
    await expect(search([0, 1], options, more)).rejects.toMatchObject({ code });
  });
});

it('refuses sources that cannot be read, before anything runs', async () => {
  const model = models[1]![1];
  const generator = createGenerator({ model, params: lively(model), backend, sourceCapacity: 3 });
  const attempt = (sources?: number[][]): Promise<unknown> =>
    generator.complete([[0], [0]], sources ? { sources } : {});
  await expect(attempt()).rejects.toMatchObject({ code: 'E_PROMPT' });
  await expect(attempt([[1], []])).rejects.toThrow('source 1: expected at least one token');
  await expect(attempt([[1], [1, 2, 3, 0]])).rejects.toThrow('source 1: expected at most 3 tokens');
  await expect(attempt([[1, 9], [1]])).rejects.toThrow('source 0, token 1: expected an id from 0 to 4');
  const session = await generator.session();
  expect(() => session.open(0)).toThrow('slot 0: source');
  session.open(0, [1]);
  expect(() => session.open(0, [2])).toThrow(expect.objectContaining({ code: 'E_PATH' }));
  await session.close();
  await generator.close();
});
