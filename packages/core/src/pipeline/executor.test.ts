import { filter, firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { fail } from '../errors.js';
import { provide, token } from '../plugin/container.js';
import { createHost } from '../plugin/host.js';
import { definePlugin } from '../plugin/plugin.js';
import { EXECUTORS } from '../plugin/points.js';
import { contribute } from '../plugin/registry.js';
import type { HeddleEvent } from '../train/events.js';
import { memoryArtifacts } from './artifacts.js';
import type { Executor, Store } from './executor.js';
import { partOf, pipeline, stagesOf } from './flow.js';
import { printPlan } from './plan.js';
import { memoryResults } from './results.js';
import { defineStage, schemaOf, type StageContext } from './stage.js';

interface Number_ {
  readonly n: number;
}

const numeric = schemaOf(
  '{ n: a number }',
  (value): value is Number_ => typeof (value as Number_ | null)?.n === 'number',
);

/** A stage on a number that counts how often it runs. */
function stage(name: string, act: (n: number, context: StageContext) => number | Promise<number>, version = 1) {
  const calls: number[] = [];
  const made = defineStage({
    name,
    version,
    input: numeric,
    output: numeric,
    async run({ n }, context) {
      calls.push(n);
      return { n: await act(n, context) };
    },
  });
  return Object.assign(made, { calls });
}

const store = (): Store => ({ artifacts: memoryArtifacts(), results: memoryResults() });
const types = (events: readonly HeddleEvent[]): readonly string[] =>
  events.map(event => ('stage' in event ? `${event.type} ${event.stage}` : event.type));
const tick = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 2));

describe('a flow in this process', () => {
  it('tells a stage the key of its result, another for another input', async () => {
    const told: string[] = [];
    const flow = pipeline('keys').then(stage('note', (n, { key }) => (told.push(key), n)));
    for (const n of [1, 2]) {
      const events = await lastValueFrom(createHost().execute(flow, { n }).pipe(toArray()));
      expect(events.find(event => event.type === 'stage.finished')).toMatchObject({ key: told.at(-1) });
    }
    expect(new Set(told).size).toBe(2);
  });

  it('runs stages in order and tells about it', async () => {
    const flow = pipeline('sum')
      .then(stage('double', n => n * 2))
      .then(stage('increment', (n, { emit }) => (emit({ type: 'notice', code: 'adding', message: 'one' }), n + 1)));
    const events = await lastValueFrom(createHost().execute(flow, { n: 3 }).pipe(toArray()));
    expect(types(events)).toEqual([
      'flow.started',
      'stage.started double',
      'stage.finished double',
      'stage.started increment',
      'notice',
      'stage.finished increment',
      'flow.finished',
    ]);
    expect(events[0]).toEqual({ type: 'flow.started', flow: 'sum', stages: ['double', 'increment'] });
    expect(events.at(-1)).toEqual({ type: 'flow.finished', flow: 'sum', output: { n: 7 } });
  });

  it('starts on subscribing, and again on the next', async () => {
    const once = stage('once', n => n);
    const events = createHost().execute(pipeline('cold').then(once), { n: 1 }, { fresh: true });
    await tick();
    expect(once.calls).toEqual([]);
    await lastValueFrom(events);
    await lastValueFrom(events);
    expect(once.calls).toEqual([1, 1]);
  });

  it('gives branches the same value and collects what they give', async () => {
    const flow = pipeline('fan')
      .then(stage('double', n => n * 2))
      .thenAll({
        plus: stage('plus', n => n + 1),
        deep: pipeline('inner')
          .then(stage('minus', n => n - 1))
          .then(stage('square', n => n * n)),
      });
    expect(await lastValueFrom(createHost().execute(flow, { n: 3 }))).toMatchObject({
      output: { plus: { n: 7 }, deep: { n: 25 } },
    });
  });

  it('gives stages a host of their own that closes with the run', async () => {
    const log: string[] = [];
    const COUNTER = token<{ close(): void }>('counter');
    const host = createHost();
    provide(host.container, COUNTER, () => ({ close: () => void log.push('closed') }), 'pipeline');
    const uses = (name: string) => stage(name, (n, { get }) => (log.push(name), get(COUNTER), n));
    await lastValueFrom(host.execute(pipeline('one').then(uses('a')).then(uses('b')), { n: 1 }));
    expect(log).toEqual(['a', 'b', 'closed']);
  });

  it('artifacts pass from stage to stage by URI', async () => {
    const uri = schemaOf('a URI', (value): value is string => typeof value === 'string');
    const write = defineStage({
      name: 'write',
      version: 1,
      input: numeric,
      output: uri,
      run: ({ n }, { artifacts }) => artifacts.put('n.bin', Uint8Array.of(n)),
    });
    const read = defineStage({
      name: 'read',
      version: 1,
      input: uri,
      output: numeric,
      run: async (at, { artifacts }) => ({ n: (await (await artifacts.open(at)).bytes())[0]! }),
    });
    const flow = pipeline('files').then(write).then(read);
    expect(await lastValueFrom(createHost().execute(flow, { n: 9 }))).toMatchObject({ output: { n: 9 } });
  });
});

describe('results', () => {
  it('serve a second run; `fresh` runs again', async () => {
    const host = createHost();
    const [double, increment] = [stage('double', n => n * 2), stage('increment', n => n + 1)];
    const flow = pipeline('cached').then(double).then(increment);
    await lastValueFrom(host.execute(flow, { n: 1 }));
    const again = await lastValueFrom(host.execute(flow, { n: 1 }).pipe(toArray()));
    expect(types(again)).toEqual(['flow.started', 'stage.cached double', 'stage.cached increment', 'flow.finished']);
    expect(again.at(-1)).toMatchObject({ output: { n: 3 } });
    await lastValueFrom(host.execute(flow, { n: 1 }, { fresh: true }));
    await lastValueFrom(host.execute(flow, { n: 2 })); // another input
    expect([double.calls, increment.calls]).toEqual([
      [1, 1, 2],
      [2, 2, 4],
    ]);
  });

  it('are keyed by name, version and input, whatever the order of its fields', async () => {
    const host = createHost();
    const pair = schemaOf(
      'a pair',
      (value): value is { readonly a: number; readonly b: number } => typeof value === 'object',
    );
    let runs = 0;
    const add = (version: number) =>
      defineStage({ name: 'add', version, input: pair, output: numeric, run: ({ a, b }) => (runs++, { n: a + b }) });
    await lastValueFrom(host.execute(pipeline('one').then(add(1)), { a: 1, b: 2 }));
    await lastValueFrom(host.execute(pipeline('two').then(add(1)), { b: 2, a: 1 })); // the flow's name is no part of it
    expect(runs).toBe(1);
    await lastValueFrom(host.execute(pipeline('one').then(add(2)), { a: 1, b: 2 }));
    expect(runs).toBe(2);
  });

  it('a first run passes on exactly what a cached one does', async () => {
    const loose = schemaOf(
      'anything',
      (value): value is { readonly n?: number | undefined } => typeof value === 'object',
    );
    const seen: unknown[] = [];
    const give = defineStage({
      name: 'give',
      version: 1,
      input: numeric,
      output: schemaOf('anything', (value): value is Number_ => typeof value === 'object'),
      run: ({ n }) => ({ z: 1, n }),
    });
    const take_ = defineStage({
      name: 'take',
      version: 1,
      input: loose,
      output: numeric,
      run: value => (seen.push(JSON.stringify(value)), { n: 1 }),
    });
    const shared = store();
    for (let run = 0; run < 2; run++) {
      const results =
        run === 0
          ? shared.results
          : {
              ...shared.results,
              read: async (key: string) =>
                (await shared.results.read(key))?.stage === 'give' ? shared.results.read(key) : null,
            };
      await lastValueFrom(
        createHost().execute(pipeline('same').then(give).then(take_), { n: 1 }, { store: { ...shared, results } }),
      );
    }
    expect(seen).toHaveLength(2);
    expect(seen[0]).toBe(seen[1]);
  });

  it('whose artifacts are gone are made again', async () => {
    const uri = schemaOf(
      'a URI',
      (value): value is { readonly uri: string } => typeof (value as { uri?: unknown }).uri === 'string',
    );
    let runs = 0;
    const write = defineStage({
      name: 'write',
      version: 1,
      input: numeric,
      output: uri,
      run: async (_, { artifacts }) => (runs++, { uri: await artifacts.put('x', Uint8Array.of(1)) }),
    });
    const results = memoryResults();
    for (let run = 0; run < 2; run++)
      await lastValueFrom(
        createHost().execute(pipeline('p').then(write), { n: 1 }, { store: { artifacts: memoryArtifacts(), results } }),
      );
    expect(runs).toBe(2);
  });
});

describe('a plan', () => {
  it('tells what is cached, what runs and what depends, and runs nothing', async () => {
    const host = createHost();
    const [double, increment] = [stage('double', n => n * 2), stage('increment', n => n + 1, 4)];
    await lastValueFrom(host.execute(pipeline('first').then(double), { n: 1 }));
    const flow = pipeline('whole')
      .then(double)
      .then(increment)
      .then(pipeline('inner').then(stage('last', n => n)));
    const plan = await host.plan(flow, { n: 1 });
    expect(plan.stages.map(({ path, state, key }) => [path, state, key !== null])).toEqual([
      ['double', 'cached', true],
      ['increment', 'runs', true],
      ['inner/last', 'waits', false],
    ]);
    const rows = printPlan(plan)
      .replace(/[0-9a-f]{12}/g, '############')
      .split('\n');
    expect(rows.map(row => row.trim().split(/ {2,}/))).toEqual([
      ['flow whole'],
      ['stage', 'version', 'key', 'state', 'where'],
      ['double', '1', '############', 'cached', 'in this process'],
      ['increment', '4', '############', 'runs', 'in this process'],
      ['inner/last', '1', '-', 'depends on the stage before', 'in this process'],
    ]);
    expect(new Set(rows.slice(2).map(row => row.indexOf('in this process')))).toHaveProperty('size', 1); // columns stand under each other
    expect((await host.plan(flow, { n: 1 }, { fresh: true })).stages.map(({ state }) => state)).toEqual([
      'runs',
      'waits',
      'waits',
    ]);
    expect([double.calls, increment.calls]).toEqual([[1], []]);
  });

  it('keys are those of the run', async () => {
    const host = createHost();
    const flow = pipeline('p').then(stage('a', n => n));
    const { stages } = await host.plan(flow, { n: 1 });
    const started = await firstValueFrom(
      host.execute(flow, { n: 1 }).pipe(filter(event => event.type === 'stage.started')),
    );
    expect(started.key).toBe(stages[0]!.key);
  });

  it('refuses an input that the first stage would refuse', async () => {
    await expect(createHost().plan(pipeline('p').then(stage('a', n => n)), { n: 'x' } as never)).rejects.toMatchObject({
      code: 'E_SCHEMA',
    });
  });
});

describe('failures', () => {
  it('stop the flow with flow and stage named, and keep what was finished', async () => {
    const host = createHost();
    let broken = true;
    const [first, second, third] = [
      stage('first', n => n + 1),
      stage('second', n => (broken ? expect.fail('disk on fire') : n)),
      stage('third', n => n),
    ];
    const flow = pipeline('p').then(first).then(second).then(third);
    await expect(lastValueFrom(host.execute(flow, { n: 1 }))).rejects.toMatchObject({
      code: 'E_STAGE',
      message: expect.stringMatching(/^flow 'p', stage 'second': failed: disk on fire/),
      details: { flow: 'p', stage: 'second' },
    });
    broken = false;
    await lastValueFrom(host.execute(flow, { n: 1 }));
    expect([first.calls, third.calls]).toEqual([[1], [2]]);
  });

  it('keep their own code where they have one', async () => {
    const flow = pipeline('p').then(
      stage('train', () => fail('E_SHAPE', 'attend: expected [2], received [3]. Fix it.', { got: 3 })),
    );
    await expect(lastValueFrom(createHost().execute(flow, { n: 1 }))).rejects.toMatchObject({
      code: 'E_SHAPE',
      message: "flow 'p', stage 'train': attend: expected [2], received [3]. Fix it.",
      details: { got: 3, flow: 'p', stage: 'train' },
    });
  });

  it('a bad input, a bad output and an output that is no JSON name the stage', async () => {
    const run = (value: unknown, made = stage('s', n => n)) =>
      lastValueFrom(createHost().execute(pipeline('p').then(made), value as Number_));
    await expect(run({ n: '1' })).rejects.toMatchObject({
      code: 'E_SCHEMA',
      message: expect.stringContaining("stage 's': input: expected { n: a number }"),
    });
    await expect(
      run(
        { n: 1 },
        stage('s', () => 'x' as never),
      ),
    ).rejects.toMatchObject({
      code: 'E_SCHEMA',
      message: expect.stringContaining("stage 's': output: expected { n: a number }"),
    });
    await expect(
      run(
        { n: 1 },
        stage('s', () => Number.NaN),
      ),
    ).rejects.toMatchObject({ message: expect.stringContaining("flow 'p', stage 's'") });
  });

  it('an unknown executor comes with the nearest', async () => {
    const flow = pipeline('p').then(stage('a', n => n));
    await expect(lastValueFrom(createHost().execute(flow, { n: 1 }, { executor: 'inprocess' }))).rejects.toMatchObject({
      code: 'E_UNKNOWN',
      message: expect.stringContaining("Did you mean 'in-process'?"),
    });
  });
});

describe('cancelling', () => {
  /** A stage that waits until it is aborted or released. */
  const waiting = () => {
    const log: string[] = [];
    const made = stage('wait', async (n, { signal, emit }) => {
      log.push('began');
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
      emit({ type: 'notice', code: 'late', message: 'nobody hears this' });
      log.push('aborted');
      return n;
    });
    return { log, made };
  };

  it('unsubscribing aborts the stage, stores nothing of it and keeps what was finished', async () => {
    const { log, made } = waiting();
    const first = stage('first', n => n);
    const host = createHost();
    const shared = store();
    const flow = pipeline('p').then(first).then(made);
    const heard: string[] = [];
    const subscription = host.execute(flow, { n: 1 }, { store: shared }).subscribe(({ type }) => heard.push(type));
    while (log.length === 0) await tick();
    subscription.unsubscribe();
    await tick();
    expect(log).toEqual(['began', 'aborted']);
    expect(heard).toEqual(['flow.started', 'stage.started', 'stage.finished', 'stage.started']);
    const { stages } = await host.plan(flow, { n: 1 }, { store: shared });
    expect(stages.map(({ state }) => state)).toEqual(['cached', 'runs']);
    await host.close(); // nothing of the run keeps it
  });

  it('taking what one wants ends the run', async () => {
    const later = stage('later', n => n);
    await lastValueFrom(
      createHost()
        .execute(
          pipeline('p')
            .then(stage('a', n => n))
            .then(later),
          { n: 1 },
        )
        .pipe(
          filter(({ type }) => type === 'stage.finished'),
          take(1),
        ),
    );
    await tick();
    expect(later.calls).toEqual([]);
  });

  it('a signal ends it with E_CANCELLED, before or while it runs', async () => {
    const { log, made } = waiting();
    const stop = new AbortController();
    const run = lastValueFrom(createHost().execute(pipeline('p').then(made), { n: 1 }, { signal: stop.signal }));
    const refused = expect(run).rejects.toMatchObject({
      code: 'E_CANCELLED',
      message: expect.stringContaining("flow 'p': cancelled"),
    });
    while (log.length === 0) await tick();
    stop.abort();
    await refused;
    await expect(
      lastValueFrom(createHost().execute(pipeline('p').then(made), { n: 1 }, { signal: stop.signal })),
    ).rejects.toMatchObject({ code: 'E_CANCELLED' });
    expect(log).toEqual(['began', 'aborted']);
  });

  it('closing the host ends its runs first', async () => {
    const { log, made } = waiting();
    const host = createHost();
    await host.open(() => ({ close: () => void log.push('engine closed') }));
    const refused = expect(lastValueFrom(host.execute(pipeline('p').then(made), { n: 1 }))).rejects.toMatchObject({
      code: 'E_CLOSED',
      message: expect.stringContaining("flow 'p': host was closed while it ran"),
    });
    while (log.length === 0) await tick();
    await host.close();
    await refused;
    expect(log).toEqual(['began', 'aborted', 'engine closed']);
    await expect(lastValueFrom(host.execute(pipeline('p').then(made), { n: 1 }))).rejects.toMatchObject({
      code: 'E_CLOSED',
    });
    await expect(host.plan(pipeline('p').then(made), { n: 1 })).rejects.toMatchObject({ code: 'E_CLOSED' });
  });
});

it('a part of a flow is what one stage needs, and leaves the rest its result', async () => {
  const host = createHost();
  const ran: string[] = [];
  const noted = (name: string) => stage(name, n => (ran.push(name), n + 1));
  const inner = pipeline('inner').then(noted('x')).then(noted('y'));
  const flow = pipeline('p')
    .then(noted('a'))
    .thenAll({ left: noted('l'), right: inner, other: noted('o') });
  await lastValueFrom(host.execute(partOf(flow, 'inner/x'), { n: 1 }));
  expect(ran).toEqual(['a', 'x']);
  await lastValueFrom(host.execute(partOf(flow, 'inner/y'), { n: 1 }));
  await lastValueFrom(host.execute(flow, { n: 1 }));
  expect(ran).toEqual(['a', 'x', 'y', 'l', 'o']);
  expect(stagesOf(partOf(flow, 'a').steps).map(({ path }) => path)).toEqual(['a']);
  expect(() => partOf(flow, 'y')).toThrow(
    /E_FLOW|expected one of its stages, received 'y'. It has a, l, inner\/x, inner\/y, o/,
  );
  await host.close();
});

it('another executor comes from a plugin', async () => {
  const jobs: unknown[] = [];
  const queue: Executor = {
    name: 'queue',
    plan: async ({ flow }) => ({ flow: flow.name, stages: [] }),
    submit: job => {
      jobs.push([job.flow.name, job.input, job.fresh]);
      return createHost().execute(pipeline('remote').then(stage('r', n => n)), { n: 5 });
    },
  };
  const host = createHost({
    plugins: [
      definePlugin({ name: 'queue', version: '1.0.0', register: container => contribute(container, EXECUTORS, queue) }),
    ],
  });
  const last = await lastValueFrom(
    host.execute(pipeline('p').then(stage('a', n => n)), { n: 1 }, { executor: 'queue' }),
  );
  expect([jobs, last]).toEqual([[['p', { n: 1 }, false]], { type: 'flow.finished', flow: 'remote', output: { n: 5 } }]);
});
