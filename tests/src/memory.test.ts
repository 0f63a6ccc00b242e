/** Nothing leaks: open tensors return to zero after every kind of run, and a long run holds no more at its end. Counts, no timings. */

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { f32, host, trace, train, type Backend, type TrainEvent } from '@heddle/core';
import { lastValueFrom, take, tap, toArray } from 'rxjs';
import { everyBackend, onnxBackends, present } from './support/backends.js';
import { poisoned } from './support/poisoned.js';
import { counted, outcome, tinyDecoder, tinyPlan } from './support/training.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

describe.each(present(everyBackend))('$name', ({ open }) => {
  let backend: Backend;
  beforeEach(async () => void (backend = await open()));
  afterEach(() => backend.close());

  const failing = (work: Promise<unknown>): Promise<{ readonly code?: string; readonly message: string }> =>
    work.then(
      () => expect.fail('expected a failure'),
      (error: unknown) => error as { readonly code?: string; readonly message: string },
    );

  it('closes everything after a run that ends', async () => {
    await outcome(tinyPlan(backend, { steps: 3 }));
    expect(backend.live()).toBe(0);
    await outcome(tinyPlan(backend, { steps: 2, accumulate: 2 }));
    expect(backend.live()).toBe(0);
  });

  it('closes everything after a run whose data ends', async () => {
    const { events } = await outcome(tinyPlan(backend, { data: counted({ limit: 3 }) }));
    expect(events.at(-1)).toMatchObject({ type: 'run.finished', step: 3, reason: 'stopped' });
    expect(backend.live()).toBe(0);
  });

  it('closes everything after a run whose loss is no number', async () => {
    expect(await failing(outcome(tinyPlan(backend, { data: poisoned(2) })))).toMatchObject({ code: 'E_NOT_FINITE' });
    expect(backend.live()).toBe(0);
  });

  it.each([1, 2])('closes everything after a step that fails in the engine, %s batches a step', async accumulate => {
    const broken = breaking(backend, 3);
    expect(await failing(outcome(tinyPlan(broken, { accumulate })))).toMatchObject({ message: 'the engine broke' });
    expect(backend.live()).toBe(0);
  });

  it('closes everything after data that fails, has shapes that do not fit, or cannot be resumed', async () => {
    const good = counted();
    let count = 0;
    const failingData = {
      ...good,
      next: () => (++count > 3 ? Promise.reject(new Error('the disk is gone')) : good.next()),
    };
    expect(await failing(outcome(tinyPlan(backend, { data: failingData })))).toMatchObject({
      message: 'the disk is gone',
    });
    expect(backend.live()).toBe(0);
    const [short, long] = [counted({ length: 4 }), counted({ length: 8 })];
    let turn = 0;
    const unfit = {
      ...short,
      async next() {
        const [one, other] = [await short.next(), await long.next()];
        return ++turn > 2 ? { ...one!, batch: { ...one!.batch, targets: other!.batch['targets']! } } : one;
      },
    };
    expect(await failing(outcome(tinyPlan(backend, { data: unfit })))).toMatchObject({ code: 'E_SHAPE' });
    expect(backend.live()).toBe(0);
    const { end } = await outcome(tinyPlan(backend, { steps: 1 }));
    expect(await failing(outcome(tinyPlan(backend, { resume: end, config: 'other' })))).toMatchObject({
      code: 'E_RESUME',
    });
    expect(backend.live()).toBe(0);
  });

  it('closes everything after an abort in mid-run, and says how far it came', async () => {
    const stop = new AbortController();
    const events = await lastValueFrom(
      train(tinyPlan(backend, { steps: 1000 }), { signal: stop.signal }).pipe(
        tap(event => {
          if (event.type === 'step.finished' && event.step === 3) setTimeout(() => stop.abort(), 1);
        }),
        toArray<TrainEvent>(),
      ),
    );
    const last = events.at(-1)!;
    expect(last).toMatchObject({ type: 'run.finished', reason: 'cancelled' });
    expect(last.type === 'run.finished' && last.step).toBeGreaterThanOrEqual(3);
    expect(last.type === 'run.finished' && last.step).toBeLessThan(1000);
    expect(backend.live()).toBe(0);
  });

  it('closes everything when nobody listens any more', async () => {
    await lastValueFrom(train(tinyPlan(backend, { steps: 1000 })).pipe(take(4)));
    await vi.waitFor(() => expect(backend.live()).toBe(0), { timeout: 5000 });
  });

  it('gives failed runs nothing to keep', async () => {
    const executable = await backend.compile(trace({ x: f32(2), y: f32(2) }, ({ x, y }) => ({ z: x.add(y) })));
    const x = await backend.upload(host([2], [1, 2]));
    const y = host([2], [3, 4]);
    const aborted = AbortSignal.abort(new Error('not now'));
    expect(await failing(executable.run({ x, y }, { keep: ['z'], signal: aborted }))).toMatchObject({
      message: 'not now',
    });
    expect(await failing(executable.run({ x }, { keep: ['z'] }))).toMatchObject({ code: 'E_FEED' });
    expect(await failing(executable.run({ x, y }, { keep: ['nothing'] }))).toMatchObject({ code: 'E_FEED' });
    expect(backend.live()).toBe(1);
    x.close();
    x.close();
    expect(backend.live()).toBe(0);
    expect(await failing(executable.run({ x, y }))).toMatchObject({ code: 'E_CLOSED' });
    await executable.close();
    await executable.close();
    expect(await failing(Promise.resolve().then(() => executable.run({ x: y, y })))).toMatchObject({
      code: 'E_CLOSED',
    });
    expect(backend.live()).toBe(0);
  });
});

describe.each(present(onnxBackends))('$name', ({ open }) => {
  it('holds no more after 300 steps than after 60', async () => {
    const backend = await open();
    const seen: { readonly live: number; readonly bytes: number }[] = [];
    const look = (): void => {
      collect();
      seen.push({ live: backend.live(), bytes: process.memoryUsage().arrayBuffers });
    };
    const plan = tinyPlan(backend, { steps: 300, model: tinyDecoder({ rate: 0.1, blocks: 1 }) });
    await lastValueFrom(
      train(plan).pipe(
        tap(event => {
          if (event.type === 'step.finished' && event.step % 60 === 0) look();
        }),
      ),
    );
    expect(seen).toHaveLength(5);
    const [first] = seen;
    expect(new Set(seen.map(({ live }) => live))).toEqual(new Set([first!.live]));
    // A step makes some 40 kB of host arrays: one kept for each of 240 steps would show as megabytes.
    for (const { bytes } of seen) expect(bytes).toBeLessThan(first!.bytes + 256 * 1024);
    expect(backend.live()).toBe(0);
    await backend.close();
  });
});

/** A backend whose run number `at` fails. */
function breaking(backend: Backend, at: number): Backend {
  let runs = 0;
  return {
    ...face(backend),
    compile: async (...args) => {
      const executable = await backend.compile(...args);
      return {
        signature: executable.signature,
        explain: () => executable.explain(),
        close: () => executable.close(),
        run: (...feeds) => (++runs === at ? Promise.reject(new Error('the engine broke')) : executable.run(...feeds)),
      };
    },
  };
}

/** The contract's calls as an object of its own: a backend may be a class. */
const face = (backend: Backend): Backend => ({
  name: backend.name,
  format: backend.format,
  limits: backend.limits,
  compile: (...args) => backend.compile(...args),
  upload: tensor => backend.upload(tensor),
  download: tensor => backend.download(tensor),
  live: () => backend.live(),
  close: () => backend.close(),
});
