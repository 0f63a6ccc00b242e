/** The chain of mmt-merge over a model of transformer and texts of text: shared, merged, scored, resumed to the same weights. */

import {
  bind,
  countParameters,
  evaluateAll,
  iota,
  openReference,
  parameterTypes,
  sequenceToSequence,
  type Backend,
  type Store,
  type Tensor,
  type HeddleEvent,
} from '@heddle/core';
import { readParameters } from '@heddle/core/files';
import {
  conflictCurve,
  conflictsOf,
  foldLora,
  isLoraPath,
  mergeLora,
  methods,
  translationChain,
  withLora,
  type ChainBench,
  type ChainOptions,
  type ChainResult,
} from '@heddle/mmt-merge';
import { encodePairs, generatePairs, languageTag, pairBatches, trainBpe, type Pair } from '@heddle/text';
import { createEncoderDecoder } from '@heddle/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';
import { runFlow, shelf, stagesRun, storeOf } from './support/flows.js';

const groups = { germanic: ['de', 'xa1'], romance: ['fr'] };
const lora = { rank: 2 };
const options: ChainOptions = {
  name: 'small',
  seed: 1,
  groups,
  counts: [2],
  lora,
  base: { steps: 3, rate: 0.003 },
  adapters: { steps: 2, rate: 0.01 },
  merges: {
    ties: { method: 'ties', each: { weight: 1, density: 0.5 } },
    searched: { method: 'ties', search: { space: { weight: [0, 2], density: [0.2, 0.8], lambda: [0.5, 1.5] }, budget: 4 } }, // prettier-ignore
  },
};

const pairsOf = (direction: string): readonly Pair[] => {
  const [source, target] = direction.split('-') as [string, string];
  return generatePairs({ source, target, count: 60 }).pairs;
};
const directions = ['de-en', 'en-de', 'fr-en', 'en-fr', 'xa1-en', 'en-xa1'];
const tokenizer = trainBpe(
  directions.flatMap(direction => pairsOf(direction).map(({ source }) => source)),
  { vocabularySize: 320, specials: ['<bos>', '<eos>', '<pad>', ...['en', 'de', 'fr', 'xa1'].map(languageTag)] },
);
const model = createEncoderDecoder({
  vocabulary: tokenizer.vocabularySize,
  width: 8,
  depth: 1,
  heads: 2,
  length: 48,
  sourceLength: 48,
});
const encoded = (direction: string, pairs = pairsOf(direction)) =>
  encodePairs(pairs, { tokenizer, longest: 48, language: direction.split('-')[1]! });
const batches = (corpora: readonly ReturnType<typeof encoded>[], seed: number) =>
  pairBatches(corpora, { tokens: 192, buckets: 1, seed, temperature: 5 });

const benchOf = (backend: Backend, more: Partial<ChainBench> = {}): ChainBench => ({
  model,
  backend,
  objective: sequenceToSequence(),
  methods,
  data: 'grammar',
  tests: 'grammar',
  pretraining: seed =>
    batches(['en', 'de', 'fr', 'xa1'].map(own => encoded(`${own}-${own}`, pairsOf(own === 'en' ? 'en-de' : `${own}-en`).map(({ source }) => ({ source, target: source })))), seed), // prettier-ignore
  pairs: (wanted, seed) =>
    batches(
      wanted.map(direction => encoded(direction)),
      seed,
    ),
  validate: async (direction, parameters, signal) =>
    (await benchOf(backend).score(direction, parameters, signal)).scores['likelihood']!,
  async score(direction, parameters) {
    // The log-likelihood of each of a few sentences, by the reference.
    const { batch } = await batches([encoded(direction, pairsOf(direction).slice(0, 4))], 0)
      .next()
      .then(found => found!);
    const names = Object.keys(parameterTypes(model));
    const { each } = evaluateAll(
      (...tensors) => {
        const own = Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));
        const [source, sourceMask, ids, targets, mask] = tensors.slice(names.length) as [
          Tensor,
          Tensor,
          Tensor,
          Tensor,
          Tensor,
        ];
        const logits = bind(model, own, { training: false })(source, sourceMask, ids);
        const chosen = logits.sub(logits.exp().sum(-1, { keep: true }).log());
        const [B, T, V] = logits.shape as readonly [number, number, number];
        const at = chosen
          .reshape(B * T * V)
          .gather(targets.reshape(B * T).add(iota([B * T], 0).mul(V)))
          .reshape(B, T);
        return { each: at.mul(mask).sum(1) };
      },
      [...names.map(name => parameters[name]!), batch.source, batch.sourceMask, batch.ids, batch.targets, batch.mask],
    );
    const sentences = Array.from(each!.data);
    return { scores: { likelihood: sentences.reduce((a, b) => a + b, 0) }, sentences };
  },
  ...more,
});

async function run(bench: ChainBench, store: Store, own: ChainOptions = options, stopAt = Infinity) {
  const { output, events } = await runFlow(translationChain(own, bench), null, store, stopAt);
  return { result: output, events };
}

// Where ONNX Runtime is not, the reference does: the models are small.
const [engine = { open: async () => openReference() }] = present(onnxBackends);
describe('a chain', { timeout: 300_000 }, () => {
  let backend: Backend;
  let store: Store;
  let whole: { readonly result: ChainResult | null; readonly events: readonly HeddleEvent[] };
  beforeAll(async () => {
    backend = await engine.open();
    store = storeOf();
    whole = await run(benchOf(backend), store);
  }, 300_000);
  afterAll(() => backend.close());

  it('trains what strategies share once, and scores every strategy in every direction', () => {
    const { rows, vectors } = whole.result!;
    const counts = Object.fromEntries(Object.entries(rows).map(([name, { modules }]) => [name, modules]));
    expect(counts).toEqual({ base: 0, separate: 6, multilingual: 2, group: 4, 'direction-aware': 5, 'multilingual of 2': 2, ties: 4, searched: 4 }); // prettier-ignore
    // The first of each group.
    const few = directions.filter(direction => !direction.includes('xa1'));
    for (const [name, row] of Object.entries(rows)) expect(Object.keys(row.directions).sort()).toEqual((name === 'multilingual of 2' ? few : directions).toSorted()); // prettier-ignore
    expect(conflictCurve(whole.result!).map(({ languages }) => languages)).toEqual([2, 3]);
    const adapters = stagesRun(whole.events).filter(stage => stage.startsWith('adapter'));
    // Six directions, two of all languages, two of each group and way, and two of two languages.
    expect(adapters.length).toBe(6 + 2 + 4 + 2);
    const own = vectors!.into;
    expect(own.modules).toEqual(['de-en', 'xa1-en', 'fr-en']);
    expect(own.cosines[0]![0]).toBeCloseTo(1, 5);
    expect(own.within).toBeCloseTo(own.cosines[0]![1]!, 12);
    expect(own.between).toBeCloseTo((own.cosines[0]![2]! + own.cosines[1]![2]!) / 2, 12);
    expect(Object.keys(own.layers).length).toBeGreaterThan(4);
    const kept = Object.values(rows['ties']!.retained);
    expect(kept.length).toBe(Object.keys(own.layers).length);
    for (const x of kept) expect(x > 0 && x < 1).toBe(true); // half of the mass at most is trimmed, and more by elections
    const { searches } = rows['searched']!;
    expect(Object.keys(searches)).toEqual(['merged-germanic-en', 'merged-romance-en']);
    for (const [name, { best, trials }] of Object.entries(searches)) {
      expect(trials).toHaveLength(4);
      // The middle of all bounds is the other merge.
      expect(trials[0]!.values).toEqual({ weight: 1, density: 0.5, lambda: 1 });
      const own = name === 'merged-germanic-en' ? ['de-en', 'xa1-en'] : ['fr-en'];
      const mean = (row: string): number => own.reduce((sum, direction) => sum + rows[row]!.directions[direction]!.scores['likelihood']!, 0) / own.length; // prettier-ignore
      expect(trials[0]!.score).toBeCloseTo(mean('ties'), 6);
      expect(best.score).toBeCloseTo(mean('searched'), 6);
    }
    expect(rows['ties']!.tokens).toBe(rows['direction-aware']!.tokens);
    const { ways } = conflictsOf(whole.result!, 'multilingual');
    expect(ways.into.directions).toBe(3);
  });

  it('tells how directions pull on the adapter for all, before it learns and after', () => {
    const { gradients } = whole.result!;
    const { directions: names, before, after } = gradients!['out-of'];
    expect(names).toEqual(['en-de', 'en-xa1', 'en-fr']);
    for (const cosines of [before, after])
      for (let i = 0; i < 3; i++) {
        expect(cosines[i]![i]).toBeCloseTo(1, 9);
        for (let j = 0; j < 3; j++) {
          expect(cosines[i]![j]).toBe(cosines[j]![i]);
          expect(Math.abs(cosines[i]![j]!)).toBeLessThanOrEqual(1 + 1e-9);
        }
      }
    expect(before[0]![1]).not.toBe(after[0]![1]);
  });

  it('gives what folding and merging by hand give', async () => {
    const outputs = new Map(
      whole.events.flatMap(event => (event.type === 'stage.finished' ? [[event.stage, event.output] as const] : [])),
    );
    const read = async (stage: string, wanted: (path: string) => boolean) => {
      const { weights } = outputs.get(stage) as { readonly weights: string };
      const types = Object.fromEntries(
        Object.entries(parameterTypes(withLora(model, lora))).filter(([path]) => wanted(path)),
      );
      return readParameters(await store.artifacts.open(weights), types);
    };
    const base = await read('base', path => !isLoraPath(path));
    const adapter = await read('adapter de-en', isLoraPath);
    const score = benchOf(backend).score;
    const signal = new AbortController().signal;
    const { rows } = whole.result!;
    expect(rows['base']!.directions['de-en']).toEqual(await score('de-en', base, signal));
    expect(rows['separate']!.directions['de-en']).toEqual(await score('de-en', foldLora(base, adapter, lora), signal));
    const ties = methods.find(({ name }) => name === 'ties')!;
    const other = await read('adapter xa1-en', isLoraPath);
    const merged = mergeLora(
      [adapter, other].map(one => ({ adapter: one, options: lora })),
      {
        method: ties,
        each: { weight: 1, density: 0.5 },
        seed: 1,
      },
    );
    expect(rows['ties']!.directions['de-en']).toEqual(
      await score('de-en', foldLora(base, merged.adapter, merged.options), signal),
    );
    expect(rows['ties']!.truncation).toBeGreaterThan(0);
  });

  it('tunes whole models as well: scored as they are, merged weight by weight', async () => {
    const merges = { mean: { method: 'linear', each: { weight: 1 } }, ties: { method: 'ties', each: { weight: 1, density: 0.5 } } }; // prettier-ignore
    const own = storeOf();
    const { result, events } = await run(benchOf(backend), own, { ...options, lora: null, counts: [], merges });
    const types = parameterTypes(model);
    const read = async (stage: string) => {
      const done = events.find(event => event.type === 'stage.finished' && event.stage === stage);
      const { weights } = (done as { readonly output: unknown }).output as { readonly weights: string };
      return readParameters(await own.artifacts.open(weights), types);
    };
    const [base, german, other] = [await read('base'), await read('adapter de-en'), await read('adapter xa1-en')];
    const { rows, vectors, gradients } = result!;
    const signal = new AbortController().signal;
    const { score } = benchOf(backend);
    const path = Object.keys(types)[0]!;
    expect(german[path]!.data).not.toEqual(base[path]!.data); // all of it moved
    expect(rows['separate']!.directions['de-en']).toEqual(await score('de-en', german, signal));
    expect(rows['separate']!.parameters).toBe(6 * countParameters(model));
    const mean = Object.fromEntries(Object.entries(types).map(([name, { shape }]) => [name, { dtype: 'f32' as const, shape, data: Float32Array.from(german[name]!.data, (x, i) => (x + other[name]!.data[i]!) / 2) }])); // prettier-ignore
    const found = rows['mean']!.directions['de-en']!.scores['likelihood']!;
    expect(found).toBeCloseTo((await score('de-en', mean, signal)).scores['likelihood']!, 2);
    expect([rows['mean']!.truncation, rows['ties']!.adapters['merged-germanic-en']!.lora]).toEqual([null, null]);
    // The cosine of what the two learnt, by hand.
    const learnt = (weights: typeof base): number[] => Object.keys(types).flatMap(name => Array.from(weights[name]!.data, (x, i) => x - base[name]!.data[i]!)); // prettier-ignore
    const [x, y] = [learnt(german), learnt(other)];
    const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0); // prettier-ignore
    expect(vectors!.into.cosines[0]![1]).toBeCloseTo(dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y)), 4);
    expect(gradients!.into.before[0]![0]).toBeCloseTo(1, 9);
    expect(() => translationChain({ ...options, lora: null, merges: { f: { method: 'ties', mode: 'factors' } } }, benchOf(backend))).toThrow(expect.objectContaining({ code: 'E_CONFIG' })); // prettier-ignore
  });

  it('does nothing twice, and of a change only what depends on it', async () => {
    expect(stagesRun((await run(benchOf(backend), store)).events)).toEqual([]);
    const merges = { linear: { method: 'linear', each: { weight: 1 } } };
    const other = await run(benchOf(backend), store, { ...options, merges });
    expect(stagesRun(other.events)).toEqual(['score linear', 'table']);
    const tests = await run(benchOf(backend, { tests: 'other' }), store);
    expect(stagesRun(tests.events).every(stage => stage.startsWith('score') || stage === 'table')).toBe(true);
    const texts = await run(benchOf(backend, { data: 'other' }), store, {
      ...options,
      strategies: ['multilingual'],
      counts: [],
      merges: {},
    });
    expect(stagesRun(texts.events)).toContain('base');
  });

  it('stopped anywhere, goes on to the same result', async () => {
    const count = whole.events.length;
    for (let i = 0; i < 8; i++) {
      const place = 2 + Math.floor((i * (count - 4)) / 8);
      const own = storeOf();
      const { checkpoints } = shelf();
      const bench = benchOf(backend, { checkpoints });
      expect((await run(bench, own, options, place)).result).toBeNull();
      expect((await run(bench, own)).result, `stopped before event ${place}`).toEqual(whole.result);
    }
  });

  it('refuses groups, merges and sizes that cannot be, before anything runs', () => {
    const code = (own: Partial<ChainOptions>): unknown => {
      try {
        return translationChain({ ...options, ...own }, benchOf(openReference()));
      } catch (error) {
        return (error as { readonly code: string }).code;
      }
    };
    expect(code({ groups: { a: ['de'], b: ['de'] } })).toBe('E_GROUPS');
    expect(code({ groups: { de: ['de', 'fr'] }, counts: [] })).toBe('E_GROUPS');
    expect(code({ counts: [3] })).toBe('E_CONFIG');
    const { validate: _, ...blind } = benchOf(openReference());
    expect(() => translationChain(options, blind)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    expect(code({ merges: { x: { method: 'nothing' } } })).toBe('E_CONFIG');
    expect(code({ lora: { rank: 0 } })).toBe('E_CONFIG');
    expect(code({ adapters: { steps: 0, rate: 1 } })).toBe('E_CONFIG');
  });
});
