import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lastValueFrom, map, tap, toArray, type Observable } from 'rxjs';
import { openReference } from '../backend/reference.js';
import { defineLayer, param } from '../model/layer.js';
import { ones } from '../model/initialisers.js';
import { dropout } from '../model/layers.js';
import { initialise } from '../model/tree.js';
import { adamW } from '../optim/adam.js';
import { sgd } from '../optim/sgd.js';
import { host } from '../tensor/evaluate.js';
import { batches, planOf, tiny } from '../testing/training.js';
import { fail } from '../errors.js';
import type { Backend, Executable } from '../backend/contract.js';
import type { Optimizer } from '../optim/optimizer.js';
import type { HostTensor } from '../ir/types.js';
import type { Batches } from '../plugin/contributions.js';
import type { Tensor } from '../tensor/tensor.js';
import { checkpointFolder, readCheckpoint } from './checkpoint.node.js';
import { loop } from './loop.js';
import { checkpointEvery, evaluateEvery, lossBelow, stopWhen, type CheckpointStore } from './operators.js';
import { train } from './trainer.js';
import type { Checkpoint, StepFinished, TrainEvent } from './events.js';
import type { TrainPlan } from './plan.js';

let backend: Backend;
let folder: string;
beforeEach(async () => {
  backend = openReference();
  folder = await mkdtemp(join(tmpdir(), 'heddle-train-'));
});
afterEach(async () => {
  expect(backend.live(), 'device tensors left open').toBe(0);
  await backend.close();
  await rm(folder, { recursive: true, force: true });
});

const all = (events: Observable<TrainEvent>): Promise<TrainEvent[]> =>
  lastValueFrom(events.pipe(toArray()), { defaultValue: [] });
const names = (events: readonly TrainEvent[]): string[] =>
  events.map(e => ('step' in e ? `${e.type} ${e.step}` : e.type));
const losses = (events: readonly TrainEvent[]): number[] =>
  events.flatMap(e => (e.type === 'step.finished' ? [e.loss] : []));

/** The state at the end of a run. */
async function end(plan: TrainPlan): Promise<{ readonly checkpoint: Checkpoint; readonly losses: number[] }> {
  let checkpoint: Checkpoint | undefined;
  const seen: number[] = [];
  for await (const event of loop(plan, new AbortController().signal)) {
    if (event.type === 'step.finished') seen.push(event.loss);
    if (event.type === 'run.finished') checkpoint = await event.snapshot();
  }
  return { checkpoint: checkpoint!, losses: seen };
}

const memoryStore = () => {
  const saved: { readonly step: number; readonly label: string | undefined; readonly checkpoint: Checkpoint }[] = [];
  const store: CheckpointStore = {
    save: async (checkpoint, label) => {
      saved.push({ step: checkpoint.step, label, checkpoint });
      return `memory:${checkpoint.step}`;
    },
    latest: async () => saved.findLast(s => s.label === undefined)?.checkpoint ?? null,
  };
  return { store, saved };
};

describe('a run', () => {
  it('says what happens, in order', async () => {
    const events = await all(train(planOf(backend, { steps: 3 })));
    expect(names(events)).toEqual([
      'run.started',
      'step.finished 1',
      'step.finished 2',
      'step.finished 3',
      'run.finished 3',
    ]);
    expect(events[0]).toMatchObject({
      run: 'sample',
      parameters: 28 + 30 + 49,
      backend: 'reference',
      steps: 3,
      resumedFrom: null,
    });
    expect(events[1]).toMatchObject({ steps: 3, tokens: 6, metrics: { gradientNorm: expect.any(Number) } });
    expect(events.at(-1)).toMatchObject({ reason: 'steps' });
  });

  it('learns', async () => {
    const { losses: seen } = await end(planOf(backend, { steps: 60, model: tiny(0), schedule: () => 0.05 }));
    expect(seen[0]!).toBeGreaterThan(1.8);
    expect(seen.at(-1)!).toBeLessThan(0.5);
  });

  it('does nothing before somebody subscribes, and each subscriber gets a run', async () => {
    const log: string[] = [];
    const events = train(planOf(backend, { steps: 1, data: batches({ log }) }));
    expect(log).toEqual([]);
    await all(events);
    expect(log).toEqual(['batch 0', 'close']);
  });

  it('gives the same numbers again, and others for another seed', async () => {
    const one = await end(planOf(backend));
    const two = await end(planOf(backend));
    expect(two.losses).toEqual(one.losses);
    expect(two.checkpoint.tensors).toEqual(one.checkpoint.tensors);
    expect((await end(planOf(backend, { seed: 13 }))).losses).not.toEqual(one.losses);
  });

  it('lets its data see the parameters that each step begins with, and asks for none ahead', async () => {
    const asked: { readonly step: number; readonly parameters: Readonly<Record<string, HostTensor>> }[] = [];
    const plan = planOf(backend, { steps: 3, accumulate: 2 });
    const data: Batches = {
      ...plan.data,
      async next(asking) {
        asked.push({ step: asking!.step, parameters: await asking!.parameters() });
        return plan.data.next();
      },
    };
    const snapshots: Checkpoint[] = [];
    for await (const event of loop({ ...plan, data }, new AbortController().signal))
      if (event.type === 'step.finished') snapshots.push(await event.snapshot());
    expect(asked.map(({ step }) => step)).toEqual([0, 0, 1, 1, 2, 2]);
    const own = (step: number): object =>
      Object.fromEntries(
        Object.entries(snapshots[step]!.tensors).flatMap(([name, t]) =>
          name.startsWith('params.') ? [[name.slice(7), t]] : [],
        ),
      );
    expect(asked[0]!.parameters).toEqual(initialise(plan.model, plan.seed ?? 0));
    expect(asked[2]!.parameters).toEqual(own(0));
    expect(asked[5]!.parameters).toEqual(own(1));
    expect(asked[5]!.parameters).not.toEqual(asked[2]!.parameters);
  });

  it('finds the place in its data before it reads, when it goes on', async () => {
    const { checkpoint } = await end(planOf(backend, { steps: 2 }));
    const log: string[] = [];
    await end(planOf(backend, { steps: 3, resume: checkpoint, data: batches({ log }) }));
    expect(log).toEqual(['seek', 'batch 2', 'close']);
  });

  it('starts from parameters that it is given', async () => {
    const initial = initialise(tiny(), 99);
    const { checkpoint } = await end(planOf(backend, { initial, steps: 1, schedule: () => 0, optimizer: sgd() }));
    for (const [name, tensor] of Object.entries(initial)) expect(checkpoint.tensors[`params.${name}`]).toEqual(tensor);
  });

  it('starts the optimizer with what its slots ask for', async () => {
    const counting: Optimizer = {
      name: 'counting',
      state: () => ({ count: { shape: [], fill: 5 } }),
      scalars: (_step, rate) => ({ rate }),
      update: ({ parameter, state }) => ({ parameter, state: { count: state['count']!.add(1) } }),
    };
    const { checkpoint } = await end(planOf(backend, { optimizer: counting, steps: 2 }));
    expect([...checkpoint.tensors['state.embed.weight.count']!.data]).toEqual([7]);
  });

  it('ends when the data ends, with reason stopped', async () => {
    const events = await all(train(planOf(backend, { steps: 9, data: batches({ count: 2 }) })));
    expect(names(events)).toEqual(['run.started', 'step.finished 1', 'step.finished 2', 'run.finished 2']);
    expect(events.at(-1)).toMatchObject({ reason: 'stopped' });
  });

  it('refuses data without a batch, and closes it', async () => {
    const data = batches({ count: 0 });
    await expect(all(train(planOf(backend, { data })))).rejects.toThrow(expect.objectContaining({ code: 'E_DATA' }));
    expect(data.log).toEqual(['close']);
  });

  it('closes the data when the engine does not compile', async () => {
    const data = batches();
    const broken: Backend = { ...backend, compile: async () => Promise.reject(new Error('no memory')) };
    await expect(all(train(planOf(broken, { data })))).rejects.toThrow('no memory');
    expect(data.log.at(-1)).toBe('close');
  });
});

describe('operators', () => {
  it('hold the next step up until they are done', async () => {
    const log: string[] = [];
    const slow: CheckpointStore = {
      async save({ step }) {
        log.push(`save ${step} begins`);
        await new Promise(done => setTimeout(done, 20));
        log.push(`save ${step} ends`);
        return `slow:${step}`;
      },
      latest: async () => null,
    };
    const events = train(planOf(backend, { steps: 3 })).pipe(
      tap(e => e.type === 'step.finished' && log.push(`step ${e.step}`)),
      checkpointEvery(2, slow),
    );
    const seen = names(await all(events));
    expect(log).toEqual(['step 1', 'step 2', 'save 2 begins', 'save 2 ends', 'step 3', 'save 3 begins', 'save 3 ends']);
    expect(seen).toEqual([
      'run.started',
      'step.finished 1',
      'step.finished 2',
      'checkpoint.saved 2',
      'step.finished 3',
      'run.finished 3',
      'checkpoint.saved 3',
    ]);
  });

  it('a save that fails ends the run with its error', async () => {
    const full: CheckpointStore = {
      save: async () => Promise.reject(new Error('disk full')),
      latest: async () => null,
    };
    const seen: TrainEvent[] = [];
    await expect(
      all(
        train(planOf(backend)).pipe(
          checkpointEvery(2, full),
          tap(e => seen.push(e)),
        ),
      ),
    ).rejects.toThrow('disk full');
    expect(names(seen).at(-1)).toBe('step.finished 2');
  });

  it('names the last checkpoint when the device is lost, for what was on it cannot be saved', async () => {
    const dying = (after: number): Backend => {
      let runs = 0;
      return {
        ...backend,
        async compile(graph, options) {
          const executable = await backend.compile(graph, options);
          const run: Executable['run'] = (feeds, how) =>
            ++runs > after ? fail('E_DEVICE_LOST', 'gone.', { engine: 'a fake' }) : executable.run(feeds, how);
          return { ...executable, run };
        },
      };
    };
    const lose = async (after: number): Promise<unknown> => {
      const store: CheckpointStore = { save: async ({ step }) => `memory:${step}`, latest: async () => null };
      const events = train(planOf(dying(after), { steps: 9 })).pipe(checkpointEvery(2, store));
      return lastValueFrom(events).catch((error: unknown) => error);
    };
    expect(await lose(5)).toMatchObject({
      code: 'E_DEVICE_LOST',
      message: 'gone. The last checkpoint is of step 4: memory:4.',
      details: { engine: 'a fake', checkpoint: { step: 4, uri: 'memory:4' } },
    });
    expect(await lose(1)).toMatchObject({ message: 'gone. No checkpoint was saved by this run.' });
  });

  it('checkpointEvery saves at its steps and at the end, once', async () => {
    const { store, saved } = memoryStore();
    const events = train(planOf(backend, { steps: 4 })).pipe(checkpointEvery(2, store));
    await all(events);
    expect(saved.map(s => s.step)).toEqual([2, 4]);
    await all(train(planOf(backend, { steps: 5 })).pipe(checkpointEvery(2, store)));
    expect(saved.map(s => s.step)).toEqual([2, 4, 2, 4, 5]);
  });

  it('checkpointEvery saves the end of a second run too', async () => {
    const { store, saved } = memoryStore();
    const saving = checkpointEvery(100, store);
    await all(train(planOf(backend, { steps: 2 })).pipe(saving));
    const again = train(planOf(backend, { steps: 2 })).pipe(saving);
    await all(again);
    expect(saved.map(s => s.step)).toEqual([2, 2]);
  });

  it('evaluateEvery scores at its steps and after the last planned one', async () => {
    const events = await all(
      train(planOf(backend, { steps: 5 })).pipe(evaluateEvery(2, async ({ step }) => ({ twice: step * 2 }))),
    );
    expect(events.flatMap(e => (e.type === 'evaluation.finished' ? [[e.step, e.scores]] : []))).toEqual([
      [2, { twice: 4 }],
      [4, { twice: 8 }],
      [5, { twice: 10 }],
    ]);
  });

  it('stopWhen ends the run after the step that reaches its aim', async () => {
    const events = await all(train(planOf(backend, { steps: 50 })).pipe(stopWhen(({ step }) => step === 3)));
    expect(names(events).slice(-2)).toEqual(['step.finished 3', 'run.finished 3']);
    expect(events.at(-1)).toMatchObject({ reason: 'stopped' });
    expect(lossBelow(2)({ loss: 1.9 } as StepFinished)).toBe(true);
    expect(lossBelow(2)({ loss: 2 } as StepFinished)).toBe(false);
  });

  it('refuse a pace that is none', () => {
    for (const n of [0, -1, 1.5, NaN]) {
      expect(() => checkpointEvery(n, memoryStore().store)).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
      expect(() => evaluateEvery(n, async () => ({}))).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
    }
  });
});

describe('cancelling', () => {
  it('by the signal ends after the running step and still saves', async () => {
    const stop = new AbortController();
    const { store, saved } = memoryStore();
    const data = batches();
    const events = await all(
      train(planOf(backend, { steps: 100, data }), { signal: stop.signal }).pipe(
        tap(e => e.type === 'step.finished' && e.step === 2 && stop.abort()),
        checkpointEvery(50, store),
      ),
    );
    expect(names(events).slice(-3)).toEqual(['step.finished 2', 'run.finished 2', 'checkpoint.saved 2']);
    expect(events.at(-2)).toMatchObject({ reason: 'cancelled' });
    expect(saved.map(s => s.step)).toEqual([2]);
    expect(data.log.at(-1)).toBe('close');
  });

  it('before it starts ends at once', async () => {
    const events = await all(train(planOf(backend), { signal: AbortSignal.abort() }));
    expect(names(events)).toEqual(['run.started', 'run.finished 0']);
  });

  it('by unsubscribing closes everything', async () => {
    const data = batches();
    await new Promise<void>((done, failed) => {
      const subscription = train(planOf(backend, { steps: 100, data })).subscribe({
        next: e => {
          if (e.type === 'step.finished' && e.step === 2) {
            subscription.unsubscribe();
            done();
          }
        },
        error: failed,
      });
    });
    await expect.poll(() => data.log.at(-1)).toBe('close');
    expect(data.log.filter(line => line.startsWith('batch')).length).toBeLessThan(6);
  });
});

describe('accumulation', () => {
  /** Four batches of [2, 3], and the same rows as one of [8, 3]. */
  const joined = async (): Promise<Record<string, ReturnType<typeof host>>> => {
    const source = batches();
    const parts: Readonly<Record<string, ReturnType<typeof host>>>[] = [];
    for (let i = 0; i < 4; i++) parts.push((await source.next())!.batch);
    const join = (name: string, dtype: 'i32' | 'f32') =>
      host(
        [8, 3],
        parts.flatMap(p => [...p[name]!.data]),
        dtype,
      );
    return { ids: join('ids', 'i32'), targets: join('targets', 'i32'), mask: join('mask', 'f32') };
  };
  const shared = { model: tiny(0), optimizer: sgd({ momentum: 0.9 }), schedule: () => 0.5, clip: 0.3 } as const;

  it('of n batches equals one big batch', async () => {
    const big = await joined();
    const whole = await end(planOf(backend, { ...shared, steps: 1, data: batches({ bend: () => big }) }));
    const parts = await end(planOf(backend, { ...shared, steps: 1, accumulate: 4 }));
    expect(parts.losses[0]).toBeCloseTo(whole.losses[0]!, 6);
    for (const [name, t] of Object.entries(whole.checkpoint.tensors)) {
      t.data.forEach((x, i) => expect(parts.checkpoint.tensors[name]!.data[i], name).toBeCloseTo(x, 6));
    }
  });

  it('divides by the joint count when one batch has almost no weight', async () => {
    const lone = (n: number, batch: Record<string, ReturnType<typeof host>>) =>
      n % 2 === 0
        ? { ...batch, mask: host([2, 3], [0, 0, 1, 0, 0, 0]) }
        : { ...batch, mask: host([2, 3], [1, 1, 1, 1, 1, 1]) };
    const source = batches({ bend: lone });
    const [a, b] = [(await source.next())!.batch, (await source.next())!.batch];
    const both = (name: string, dtype: 'i32' | 'f32') => host([4, 3], [...a[name]!.data, ...b[name]!.data], dtype);
    const big = { ids: both('ids', 'i32'), targets: both('targets', 'i32'), mask: both('mask', 'f32') };
    const whole = await end(planOf(backend, { ...shared, steps: 1, data: batches({ bend: () => big }) }));
    const parts = await end(planOf(backend, { ...shared, steps: 1, accumulate: 2, data: batches({ bend: lone }) }));
    expect(parts.losses[0]).toBeCloseTo(whole.losses[0]!, 6);
    for (const [name, t] of Object.entries(whole.checkpoint.tensors))
      t.data.forEach((x, i) => expect(parts.checkpoint.tensors[name]!.data[i], name).toBeCloseTo(x, 6));
  });

  it('counts steps, not batches, and leaves no half step at the end of the data', async () => {
    const data = batches({ count: 5 });
    const events = await all(train(planOf(backend, { steps: 9, accumulate: 2, data })));
    expect(names(events)).toEqual(['run.started', 'step.finished 1', 'step.finished 2', 'run.finished 2']);
    expect(events[1]).toMatchObject({ tokens: 12 });
  });

  it('draws other random numbers for each batch of a step', async () => {
    const same = batches({
      bend: (_n, batch) => ({
        ...batch,
        ids: host([2, 3], [1, 2, 3, 4, 5, 6], 'i32'),
        targets: host([2, 3], [1, 2, 3, 4, 5, 6], 'i32'),
        mask: host([2, 3], [1, 1, 1, 1, 1, 1]),
      }),
    });
    const one = await end(planOf(backend, { steps: 1, data: same, model: tiny(0.5) }));
    const two = await end(
      planOf(backend, {
        steps: 1,
        accumulate: 2,
        data: batches({
          bend: (_n, b) => ({
            ...b,
            ids: host([2, 3], [1, 2, 3, 4, 5, 6], 'i32'),
            targets: host([2, 3], [1, 2, 3, 4, 5, 6], 'i32'),
            mask: host([2, 3], [1, 1, 1, 1, 1, 1]),
          }),
        }),
        model: tiny(0.5),
      }),
    );
    expect(two.losses[0]).not.toBeCloseTo(one.losses[0]!, 4);
  });

  it('refuses a number of batches that is none', async () => {
    await expect(all(train(planOf(backend, { accumulate: 0 })))).rejects.toThrow(
      expect.objectContaining({ code: 'E_CONFIG' }),
    );
  });
});

describe('batches of several shapes', () => {
  /** Every second batch has only its first two columns; padded, they stand in all three with no weight on the last. */
  const shorter = (padded: boolean) =>
    batches({
      bend: (n, batch) => {
        if (n % 2 === 0) return batch;
        const cut = (name: string, dtype: 'i32' | 'f32', fill: number) => {
          const { data } = batch[name]!;
          const rows = [0, 3].map(at => [data[at]!, data[at + 1]!, ...(padded ? [fill] : [])]);
          return host([2, padded ? 3 : 2], rows.flat(), dtype);
        };
        return { ids: cut('ids', 'i32', 0), targets: cut('targets', 'i32', 0), mask: cut('mask', 'f32', 0) };
      },
    });

  it.each([1, 2, 3])('train as if all were padded to one (batches of a step: %i)', async accumulate => {
    const plan = (padded: boolean) =>
      planOf(backend, { steps: 5, accumulate, model: tiny(0), optimizer: sgd(), data: shorter(padded) });
    const [own, whole] = [await end(plan(false)), await end(plan(true))];
    own.losses.forEach((loss, i) => expect(loss).toBeCloseTo(whole.losses[i]!, 5));
    for (const [name, t] of Object.entries(whole.checkpoint.tensors))
      t.data.forEach((x, i) => expect(own.checkpoint.tensors[name]!.data[i], name).toBeCloseTo(x, 5));
  });

  it('ten steps are five, saved, loaded, and five', async () => {
    const plan = (more: Partial<TrainPlan>) => planOf(backend, { data: shorter(false), ...more });
    const whole = await end(plan({ steps: 10 }));
    const half = await end(plan({ steps: 5 }));
    const rest = await end(plan({ steps: 10, resume: half.checkpoint }));
    expect([...half.losses, ...rest.losses]).toEqual(whole.losses);
    expect(rest.checkpoint.tensors).toEqual(whole.checkpoint.tensors);
  });

  it('without end are refused', async () => {
    const data = batches({
      bend: n => {
        const row = (dtype: 'i32' | 'f32') =>
          host(
            [1, n + 1],
            Array.from({ length: n + 1 }, () => 1),
            dtype,
          );
        return { ids: row('i32'), targets: row('i32'), mask: row('f32') };
      },
    });
    await expect(all(train(planOf(backend, { steps: 100, data })))).rejects.toThrow(
      expect.objectContaining({ code: 'E_DATA', message: expect.stringContaining('ids [1, 65]') }),
    );
  });
});

describe('resuming', () => {
  it.each([
    ['one batch a step', 1],
    ['two batches a step', 2],
  ])('ten steps are five, saved, loaded, and five: %s', async (_what, accumulate) => {
    const plan = (more: Partial<TrainPlan>) => planOf(backend, { accumulate, optimizer: adamW(), ...more });
    const whole = await end(plan({ steps: 10 }));
    const store = checkpointFolder(folder);
    const before = await all(train(plan({ steps: 5 })).pipe(checkpointEvery(5, store)));
    const resume = await store.latest();
    expect(resume).toMatchObject({ step: 5, meta: { seed: 12, cursor: { at: 5 * accumulate } } });
    const data = batches();
    const rest = await end(plan({ steps: 10, resume, data }));
    expect(data.log).toContain('seek');
    expect([...losses(before), ...rest.losses]).toEqual(whole.losses);
    expect(rest.checkpoint.tensors).toEqual(whole.checkpoint.tensors);
    expect(rest.checkpoint.meta).toEqual(whole.checkpoint.meta);
  });

  it('says where it began, and has nothing to do when all steps are done', async () => {
    const store = checkpointFolder(folder);
    await all(train(planOf(backend, { steps: 2 })).pipe(checkpointEvery(1, store)));
    const events = await all(train(planOf(backend, { steps: 2, resume: await store.latest() })));
    expect(names(events)).toEqual(['run.started', 'run.finished 2']);
    expect(events[0]).toMatchObject({ resumedFrom: 2 });
  });

  it('keeps the newest checkpoints and names the place', async () => {
    const store = checkpointFolder(folder, { keep: 2 });
    const events = await all(train(planOf(backend, { steps: 5 })).pipe(checkpointEvery(1, store)));
    expect(await store.steps()).toEqual([4, 5]);
    expect((await readdir(folder)).sort()).toEqual(['step-00000004', 'step-00000005']);
    expect(events.at(-2)).toMatchObject({ type: 'checkpoint.saved', step: 5, uri: join(folder, 'step-00000005') });
  });

  const saved = async (more: Partial<TrainPlan> = {}): Promise<Checkpoint> =>
    (await end(planOf(backend, { steps: 2, ...more }))).checkpoint;
  const refusal = (words: RegExp) =>
    expect.objectContaining({ code: 'E_RESUME', message: expect.stringMatching(words) });
  it('refuses a checkpoint of another configuration, model, optimizer or seed', async () => {
    const resume = await saved();
    const go = (more: Partial<TrainPlan>) => all(train(planOf(backend, { resume, ...more })));
    await expect(go({ config: { model: 'tiny', widths: [4, 7] } })).rejects.toThrow(refusal(/another \(step 2\)/));
    await expect(go({ seed: 1 })).rejects.toThrow(refusal(/seed 1, received one of seed 12/));
    await expect(go({ optimizer: sgd({ momentum: 0.9 }) })).rejects.toThrow(
      refusal(/state\.embed\.weight\.velocity.*received none/),
    );
    const { ['params.up.bias']: _gone, ...rest } = resume.tensors;
    await expect(go({ resume: { ...resume, tensors: rest } })).rejects.toThrow(
      refusal(/params\.up\.bias of f32\[6\].*received none/),
    );
    await expect(
      go({ resume: { ...resume, tensors: { ...resume.tensors, 'params.up.bias': host([5], [1, 2, 3, 4, 5]) } } }),
    ).rejects.toThrow(refusal(/f32\[6\].*received f32\[5\]/));
  });

  it('does not care about the order of keys in the configuration', async () => {
    const resume = await saved();
    expect(
      names(await all(train(planOf(backend, { steps: 2, resume, config: { widths: [4, 6], model: 'tiny' } })))).at(-1),
    ).toBe('run.finished 2');
  });

  it('refuses what is no checkpoint', async () => {
    const store = checkpointFolder(folder);
    await all(train(planOf(backend, { steps: 1 })).pipe(checkpointEvery(1, store)));
    const meta = join(folder, 'step-00000001', 'checkpoint.json');
    const good = JSON.parse(await readFile(meta, 'utf8')) as Record<string, unknown>;
    for (const bad of ['{', '[]', JSON.stringify({ ...good, format: 2 }), JSON.stringify({ ...good, step: -1 })]) {
      await writeFile(meta, bad);
      await expect(store.load(1), bad).rejects.toThrow(expect.objectContaining({ code: 'E_CHECKPOINT' }));
    }
    await expect(store.load(7)).rejects.toThrow(expect.objectContaining({ code: 'E_CHECKPOINT' }));
  });
});

describe('a loss that is not finite', () => {
  /** Breaks at the batch numbered `at`: its weight is infinite there. */
  const breaking = (at: number) =>
    batches({ bend: (n, batch) => (n === at ? { ...batch, mask: host([2, 3], [1, 1, Infinity, 1, 1, 1]) } : batch) });

  it('stops with the step, says where, saves the state before it, and resumes from there', async () => {
    const store = checkpointFolder(folder);
    const seen: TrainEvent[] = [];
    const run = all(
      train(planOf(backend, { steps: 6, data: breaking(3) })).pipe(
        checkpointEvery(2, store),
        tap(e => seen.push(e)),
      ),
    );
    await expect(run).rejects.toThrow(
      expect.objectContaining({
        code: 'E_NOT_FINITE',
        details: { step: 4, loss: NaN, path: 'batch.mask' },
        message: expect.stringContaining('step 4: expected a finite loss'),
      }),
    );
    expect(names(seen).slice(-2)).toEqual(['step.failed 4', 'checkpoint.saved 3']);
    expect((await readdir(folder)).sort()).toEqual(['step-00000002', 'step-00000003-before-failure']);
    expect((await store.latest())!.step).toBe(2);

    const rescued = await readCheckpoint(join(folder, 'step-00000003-before-failure'));
    const rest = await end(planOf(backend, { steps: 6, resume: rescued }));
    const whole = await end(planOf(backend, { steps: 6 }));
    expect(rest.checkpoint.tensors).toEqual(whole.checkpoint.tensors);
  });

  it('at the very first step saves the state that the run began with', async () => {
    const store = checkpointFolder(folder);
    const run = all(train(planOf(backend, { data: breaking(0) })).pipe(checkpointEvery(2, store)));
    await expect(run).rejects.toThrow(expect.objectContaining({ code: 'E_NOT_FINITE' }));
    const rescued = await readCheckpoint(join(folder, 'step-00000000-before-failure'));
    const rest = await end(planOf(backend, { resume: rescued }));
    expect(rest.checkpoint.tensors).toEqual((await end(planOf(backend))).checkpoint.tensors);
  });

  it('says so even when saving fails after it', async () => {
    const full: CheckpointStore = {
      save: async () => Promise.reject(new Error('disk full')),
      latest: async () => null,
    };
    const run = all(train(planOf(backend, { data: breaking(1) })).pipe(checkpointEvery(9, full)));
    await expect(run).rejects.toThrow(
      expect.objectContaining({
        code: 'E_NOT_FINITE',
        message: expect.stringContaining('Saving the state before the step failed too: disk full'),
      }),
    );
  });

  it('names the layer in which the first bad number was made', async () => {
    const inner = defineLayer({
      name: 'inner',
      params: { gain: param([7], ones) },
      apply: ({ gain }, x: Tensor) => x.mul(gain).sub(2).sqrt(),
    });
    const model = defineLayer({
      name: 'outer',
      params: { base: tiny(0), blocks: [inner] },
      apply: ({ base, blocks }, ids: Tensor) => blocks[0]!(base(ids)),
    });
    const run = all(train(planOf(backend, { model })));
    await expect(run).rejects.toThrow(
      expect.objectContaining({
        code: 'E_NOT_FINITE',
        details: expect.objectContaining({ step: 1, path: 'blocks.0: sqrt' }),
      }),
    );
  });
});

describe('a loss that is not finite, with several batches a step', () => {
  const failureOf = async (plan: TrainPlan) => {
    const store = memoryStore();
    const error: unknown = await all(train(plan).pipe(checkpointEvery(99, store.store))).catch((e: unknown) => e);
    return { error: error as { code?: string; details?: { step: number; path: string } }, saved: store.saved };
  };

  it('names the batch, and saves the state before the step', async () => {
    const breaking = batches({
      bend: (n, batch) => (n === 4 ? { ...batch, mask: host([2, 3], [1, 1, Infinity, 1, 1, 1]) } : batch),
    });
    const { error, saved } = await failureOf(planOf(backend, { accumulate: 3, data: breaking }));
    expect(error).toMatchObject({
      code: 'E_NOT_FINITE',
      details: { step: 2, path: 'batch.mask, in batch 2 of 3' },
    });
    expect(saved.map(({ step, label }) => [step, label])).toEqual([[1, 'before-failure']]);
    const whole = await end(planOf(backend, { accumulate: 3, steps: 1 }));
    expect(saved[0]!.checkpoint.tensors).toEqual(whole.checkpoint.tensors);
  });

  it('looks for it with the random numbers that the batch drew', async () => {
    // Every unit that dropout drops makes an infinity: whether a batch fails is decided by its own random numbers.
    const model = defineLayer({
      name: 'fragile',
      params: { base: tiny(0), gain: param([1], ones), drop: dropout(0.3) },
      apply: ({ base, gain, drop }, ids: Tensor) => base(ids).div(drop(gain)),
    });
    const places = new Set<string>();
    for (let seed = 0; seed < 12; seed++) {
      const { error } = await failureOf(planOf(backend, { model, seed, steps: 1, accumulate: 2 }));
      if (error.code === 'E_NOT_FINITE') places.add(error.details!.path);
    }
    expect([...places].sort()).toEqual(['div, in batch 1 of 2', 'div, in batch 2 of 2']);
  });

  it('says so when each batch is finite and their sum is not', async () => {
    const heavy = batches({ bend: (_n, batch) => ({ ...batch, mask: host([2, 3], Array<number>(6).fill(2.5e37)) }) });
    const { error } = await failureOf(planOf(backend, { accumulate: 3, data: heavy, model: tiny(0) }));
    expect(error).toMatchObject({ code: 'E_NOT_FINITE', details: { step: 1, path: 'the sum over 3 batches' } });
  });
});

describe('the observable face', () => {
  it('lets events through other operators', async () => {
    const seen = await all(train(planOf(backend, { steps: 2 })).pipe(map(e => e)));
    expect(seen).toHaveLength(4);
  });
});
