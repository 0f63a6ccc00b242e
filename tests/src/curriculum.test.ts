/** Curricula of rl-grpo over models of transformer: resumed exactly, shared where they begin alike, measured honestly. */

import { memoryResults, openReference, type Backend, type HeddleEvent, type Store } from '@heddle/core';
import {
  curriculumFlow,
  curriculumStart,
  generatedPool,
  levelsOf,
  readWeights,
  tagTexts,
  wordsOf,
  type CurriculumOptions,
  type CurriculumState,
  type Workbench,
} from '@heddle/rl-grpo';
import { trainBpe } from '@heddle/text';
import { createDecoder, createProgram, openSession } from '@heddle/transformer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxBackends, present } from './support/backends.js';
import { runFlow, shelf, stagesRun, storeOf } from './support/flows.js';

const pool = generatedPool(1);
const tokenizer = trainBpe(
  Array.from({ length: 300 }, (_, i) => `${pool.learn(i).problem}\n${pool.learn(i).ways!.join('\n')}`),
  { vocabularySize: 320, specials: ['<bos>', '<eos>', '<pad>', ...Object.values(tagTexts)] },
);
const model = createDecoder({ vocabulary: tokenizer.vocabularySize, width: 16, depth: 1, heads: 2, length: 112 });

const curriculum: CurriculumOptions = {
  name: 'small',
  seed: 3,
  promptLength: 40,
  responseLength: 72,
  measure: { problems: ['level:1'], count: 4, samples: 2 },
  stages: [
    { kind: 'learn', name: 'lines', problems: 'level:1', style: 'sequential', steps: 3, rate: 0.01, batch: 2, accumulate: 2 },
    { kind: 'gather', name: 'gather', problems: 'level:1', teacher: 'ways', count: 6 },
    { kind: 'learn', name: 'cold', problems: 'level:1', style: 'parallel', traces: 'gather', steps: 3, rate: 0.01, batch: 4 },
    { kind: 'policy', name: 'rl', problems: 'level:1', style: 'parallel', steps: 4, rate: 0.01, prompts: 4, batch: 8, loss: { groupSize: 4, stepsPerBatch: 2 }, rewards: [{ reward: 'block-count' }], trains: ['*orm.weight'] },
  ],
}; // prettier-ignore

const benchOf = (backend: Backend, more: Partial<Workbench> = {}): Workbench => ({
  model,
  words: wordsOf(tokenizer),
  backend,
  slots: 4,
  problems: name => generatedPool(...levelsOf(name)!),
  async open(params, slots, tokens) {
    const program = createProgram({ model, params, backend }, slots, tokens + 1);
    const session = await openSession(program, [2, 16]);
    return {
      session,
      async close() {
        await session.close();
        await program.close();
      },
    };
  },
  ...more,
});

/** @returns the state at the end, or null when it was stopped before event `stopAt` */
async function run(bench: Workbench, store: Store, options: CurriculumOptions = curriculum, stopAt = Infinity) {
  const { output, events } = await runFlow(curriculumFlow(options, bench), curriculumStart, store, stopAt);
  return { state: output, events };
}

describe.each([{ name: 'reference', open: async () => openReference() }, ...present(onnxBackends)])(
  'a curriculum on $name',
  { timeout: 300_000 },
  ({ name, open }) => {
    let backend: Backend;
    let store: Store;
    let whole: { readonly state: CurriculumState | null; readonly events: readonly HeddleEvent[] };
    beforeAll(async () => {
      backend = await open();
      store = storeOf();
      whole = await run(benchOf(backend), store);
    }, 300_000);
    afterAll(() => backend.close());

    it('does its stages in order and says what each did', async () => {
      const { done } = whole.state!;
      expect(done.map(one => one.name)).toEqual(['lines', 'gather', 'cold', 'rl']);
      expect(done.map(({ steps }) => steps)).toEqual([3, 0, 3, 4]);
      expect(done[1]!.became).toMatchObject({ asked: 6, kept: 6 });
      for (const { kind, measured } of done)
        if (kind !== 'gather') expect(measured[0]).toMatchObject({ problems: 'level:1', count: 4, samples: 2 });
      expect(done.map(({ measured }) => measured[0]?.strategy)).toEqual(['sequential', undefined, 'parallel', 'parallel']); // prettier-ignore
      const steps = whole.events.filter(event => event.type === 'step.finished').slice(-4);
      for (const event of steps) expect(Object.keys(event.metrics)).toEqual(expect.arrayContaining(['reward', 'parallelRatio', 'answerLength', 'idleGroups', 'entropy', 'kl'])); // prettier-ignore
    });

    it('moves in reinforcement what it is told to, and nothing else', async () => {
      const before = await run(benchOf(backend), store, { ...curriculum, stages: curriculum.stages.slice(0, 3) });
      expect(stagesRun(before.events, 'stage.started')).toEqual([]);
      const [cold, rl] = await Promise.all(
        [before.state!, whole.state!].map(({ weights }) => readWeights(store.artifacts, weights, model)),
      );
      for (const [path, { data }] of Object.entries(rl!))
        if (path.endsWith('orm.weight')) expect(data).not.toEqual(cold![path]!.data);
        else expect(data).toEqual(cold![path]!.data);
    });

    it('is there already the second time, and begins anew only from what was changed', async () => {
      const again = await run(benchOf(backend), store);
      expect(stagesRun(again.events, 'stage.started')).toEqual([]);
      expect(again.state).toEqual(whole.state);
      const changed = curriculum.stages.map(stage => (stage.name === 'cold' ? { ...stage, rate: 0.02 } : stage));
      const other = await run(benchOf(backend), store, { ...curriculum, name: 'other', stages: changed as never });
      expect(stagesRun(other.events, 'stage.cached')).toEqual(['begin', 'lines', 'gather']);
      expect(other.state!.weights).not.toBe(whole.state!.weights);
    });

    it('does again what learnt from problems that are others now, under the same name', async () => {
      const others = { problems: () => generatedPool(1, 1, 99) };
      const other = await run(benchOf(backend, others), store, { ...curriculum, measure: { problems: [], count: 1, samples: 1 }, stages: curriculum.stages.slice(0, 1) }); // prettier-ignore
      expect(stagesRun(other.events, 'stage.started')).toEqual(['lines']);
      const [again, before] = [await run(benchOf(backend, others), store), await run(benchOf(backend), store)];
      expect(stagesRun(again.events, 'stage.cached')).toEqual(['begin']);
      expect(stagesRun(before.events, 'stage.started')).toEqual([]);
    });

    it('stopped anywhere, goes on to the same weights', async () => {
      const count = whole.events.length;
      const places = name === 'reference' ? [Math.floor(count / 2)] : Array.from({ length: 12 }, (_, i) => 1 + Math.floor((i * (count - 2)) / 12)); // prettier-ignore
      for (const place of places) {
        const own = storeOf();
        const { checkpoints } = shelf();
        const bench = benchOf(backend, { checkpoints });
        const first = await run(bench, own, curriculum, place);
        expect(first.state).toBeNull();
        const second = await run(bench, own);
        expect(second.state!.weights, `stopped before event ${place}`).toBe(whole.state!.weights);
        expect(second.state).toEqual(whole.state);
      }
    });

    it('asks a judge by its name, and says so when nobody has that name', async () => {
      const judged = { rewards: [{ reward: 'accuracy' as const, options: { judge: 'always' } }] };
      const stages = curriculum.stages.map(stage => (stage.kind === 'policy' ? { ...stage, ...judged } : stage));
      const options = { ...curriculum, stages };
      let asked = 0;
      const judge = () => () => ++asked % 2 === 0;
      const { events } = await run(benchOf(backend, { judge }), storeOf(), options);
      const steps = events.filter(event => event.type === 'step.finished').slice(-4);
      for (const { metrics } of steps) expect(metrics['reward']).toBe(0); // half of them right, half wrong
      expect(asked).toBe(2 * 16);
      await expect(run(benchOf(backend), storeOf(), options)).rejects.toMatchObject({ code: 'E_CONFIG' });
    });

    it('in one line samples paths apart, scores them in line, and goes on where it was stopped', async () => {
      const stages = curriculum.stages.map(stage => (stage.kind === 'policy' ? { ...stage, loss: { ...stage.loss, correction: 'truncate' as const } } : stage)); // prettier-ignore
      const options = { ...curriculum, structure: 'line' as const, stages };
      const own = storeOf();
      const { state, events } = await run(benchOf(backend), own, options);
      expect(state!.done.map(({ measured }) => measured[0]?.strategy)).toEqual(['sequential', undefined, 'linear, line', 'linear, line']); // prettier-ignore
      const steps = events.filter(event => event.type === 'step.finished').slice(-4);
      for (const { metrics } of steps) expect(metrics['samplerGap']).toBeGreaterThan(0);
      const { checkpoints } = shelf();
      const part = storeOf();
      const stopped = await run(benchOf(backend, { checkpoints }), part, options, events.length - 3);
      expect(stopped.state).toBeNull();
      const again = await run(benchOf(backend, { checkpoints }), part, options);
      expect(again.state!.weights).toBe(state!.weights);
    });

    it('ends a stage at its budget of tokens, wherever it was stopped before', async () => {
      const budget = curriculum.stages.map(stage => (stage.kind === 'policy' ? { ...stage, steps: 50, tokens: 400 } : stage)); // prettier-ignore
      const options = { ...curriculum, stages: budget };
      const { state, events } = await run(benchOf(backend), store, options);
      const { steps, tokens } = state!.done.at(-1)!;
      expect(tokens).toBeGreaterThanOrEqual(400);
      expect(steps).toBeLessThan(50);
      const own = events.flatMap(event => (event.type === 'step.finished' ? [event.tokens] : []));
      expect(own.reduce((a, b) => a + b, 0) - own.at(-1)!).toBeLessThan(400);
      const bench = benchOf(backend, { checkpoints: shelf().checkpoints });
      const apart: Store = { artifacts: store.artifacts, results: memoryResults() };
      expect((await run(bench, apart, options, events.length + 18)).state).toBeNull();
      expect((await run(bench, apart, options)).state).toEqual(state);
    });
  },
);

describe('what goes wrong', () => {
  const backend = openReference();
  afterAll(() => backend.close());
  const failure = (options: Partial<CurriculumOptions>, more: Partial<Workbench> = {}) =>
    run(benchOf(backend, more), storeOf(), { ...curriculum, ...options });

  it.each<[string, Partial<CurriculumOptions>, Partial<Workbench>, string, RegExp]>([
    ['a teacher that there is not', { stages: [{ kind: 'gather', name: 'g', problems: 'level:1', teacher: 'sage', count: 2 }] }, {}, 'E_CONFIG', /'sage'|"sage"/],
    ['a teacher that is always wrong', { stages: [{ kind: 'gather', name: 'g', problems: 'level:1', teacher: 'sage', count: 2 }] }, { teacher: () => () => 'Final Answer: none' }, 'E_EMPTY', /withoutBlock/],
    ['a pattern of no parameter', { stages: [{ ...curriculum.stages[0]!, trains: ['lora.*'] } as never] }, {}, 'E_CONFIG', /lora/],
    ['traces longer than a row', { stages: [{ ...curriculum.stages[0]!, length: 20 } as never] }, {}, 'E_LENGTH', /20 tokens/],
    ['prompts longer than there is room for', { promptLength: 5, stages: [curriculum.stages[3]!] }, {}, 'E_LENGTH', /prompt/],
  ])('%s is told with its stage', async (_, options, more, code, words) => {
    await expect(failure(options, more)).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
    await expect(failure(options, more)).rejects.toThrow(/stage '/);
  }); // prettier-ignore

  it('weights of another model are refused', async () => {
    const store = storeOf();
    const { state } = await run(benchOf(backend), store, { ...curriculum, stages: [curriculum.stages[1]!] });
    const other = createDecoder({ vocabulary: tokenizer.vocabularySize, width: 8, depth: 1, heads: 2, length: 112 });
    await expect(readWeights(store.artifacts, state!.weights, other)).rejects.toMatchObject({ code: 'E_MODEL' });
  });
});
