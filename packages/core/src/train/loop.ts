/** The pull loop: one event at a time, testable without rxjs. State lives on the device between steps. */

import { fail, HeddleError } from '../errors.js';
import { hashJson } from '../io/json.js';
import { countParameters, initialise, parameterTypes } from '../model/tree.js';
import { sizeOf } from '../ir/shape.js';
import { isHost } from '../backend/feeds.js';
import { firstNotFinite } from './diagnose.js';
import { accumulateStep, applyStep, stateTypes, sumTypes, trainedTypes, trainStep, type StepPlan } from './step.js';
import type { Backend, DeviceTensor, Executable, Feeds } from '../backend/contract.js';
import type { HostTensor, Types } from '../ir/types.js';
import type { Checkpoint, CheckpointMeta, Metrics, TrainEvent } from './events.js';
import type { TrainPlan } from './plan.js';

type Tensors = Record<string, DeviceTensor>;

interface Batch {
  readonly feeds: Record<string, HostTensor>;
  readonly tokens: number;
  readonly cursor: unknown;
  readonly metrics: Metrics;
}

/** A batch, and the executable for its shape. */
interface Prepared {
  readonly feeds: Batch['feeds'];
  readonly compiled: Executable;
}

/**
 * Runs a plan.
 *
 * @param signal aborting it ends the run after the running step, with reason `cancelled`
 * @throws E_NOT_FINITE when the loss is NaN or infinite, after an event `step.failed`
 */
export async function* loop(plan: TrainPlan, signal: AbortSignal): AsyncGenerator<TrainEvent> {
  try {
    yield* steps(plan, signal);
  } finally {
    await plan.data.close();
  }
}

async function* steps(plan: TrainPlan, signal: AbortSignal): AsyncGenerator<TrainEvent> {
  const { backend, seed = 0, accumulate = 1 } = plan;
  const began = performance.now();
  const start = await begin(plan);
  if (start.cursor !== undefined) await plan.data.seek(start.cursor);
  let state = await upload(backend, start.tensors);
  let engine: Engine | null = null;
  try {
    let { tokens, step: done, cursor } = start;
    const read = (): Promise<Batch | null> => nextBatch(plan, state, done);
    // The first is read before its step, for its types.
    let first = await read();
    if (!first) fail('E_DATA', `${plan.name}: expected at least one batch, received none. Check the data source.`, {});
    const step: StepPlan = {
      model: plan.model,
      objective: plan.objective,
      optimizer: plan.optimizer,
      batch: typesOf(first.feeds),
      clip: plan.clip ?? null,
      ...(plan.trains ? { trains: plan.trains } : {}),
    };
    if (Object.keys(trainedTypes(step)).length === 0)
      fail('E_CONFIG', `${plan.name}: trains: expected at least one parameter that moves, received none. The paths are such as ${Object.keys(parameterTypes(plan.model)).slice(0, 3).join(', ')}.`, {}); // prettier-ignore
    engine = await Engine.open(plan, step, accumulate);
    yield {
      type: 'run.started',
      run: plan.name,
      parameters: countParameters(plan.model),
      backend: backend.name,
      steps: plan.steps,
      resumedFrom: plan.resume?.step ?? null,
      compileMs: performance.now() - began,
    };
    let stopped = false;
    while (done < plan.steps && !signal.aborted && !stopped) {
      let from = performance.now();
      const batches: Batch[] = [];
      while (batches.length < accumulate) {
        const batch: Batch | null = first ?? (await read());
        first = null;
        if (!batch) break;
        batches.push(batch);
      }
      if (batches.length < accumulate) {
        stopped = true;
        break;
      }
      // Shapes met for the first time are compiled; that is no part of the step's time.
      const ready = await engine.prepare(batches);
      from += ready.ms;
      const scalars = plan.optimizer.scalars(done + 1, plan.schedule(done));
      const { next, loss, metrics } = await engine.step(state, ready.prepared, scalars, seed, done);
      if ([loss, ...Object.values(metrics)].some(x => !Number.isFinite(x))) {
        // The state before the step is still whole: it is what gets saved and what the search runs on.
        closeReplaced(next, state);
        yield* failure(plan, step, state, batches, { step: done, tokens, cursor, seed, loss });
      }
      closeReplaced(state, next);
      state = next;
      done += 1;
      cursor = batches.at(-1)!.cursor;
      const seen = batches.reduce((n, b) => n + b.tokens, 0);
      tokens += seen;
      const hold = holding(plan, state, { step: done, tokens, cursor, seed });
      yield {
        type: 'step.finished',
        step: done,
        steps: plan.steps,
        loss,
        metrics: { ...meanOf(batches), ...metrics },
        tokens: seen,
        seconds: (performance.now() - from) / 1000,
        ...hold.calls,
        stop: () => {
          stopped = true;
        },
      };
      await hold.settled();
    }
    const reason = done >= plan.steps ? 'steps' : stopped ? 'stopped' : 'cancelled';
    const hold = holding(plan, state, { step: done, tokens, cursor, seed });
    yield { type: 'run.finished', step: done, reason, ...hold.calls };
    await hold.settled();
  } finally {
    closeAll(state);
    await engine?.close();
  }
}

async function upload(backend: Backend, tensors: Readonly<Record<string, HostTensor>>): Promise<Tensors> {
  const out: Tensors = {};
  try {
    for (const [name, t] of Object.entries(tensors)) out[name] = await backend.upload(t);
  } catch (error) {
    closeAll(out);
    throw error;
  }
  return out;
}

/** The next batch, of a source that may look at the model as it is. */
async function nextBatch({ data, backend }: TrainPlan, state: Tensors, step: number): Promise<Batch | null> {
  const got = await data.next({
    step,
    parameters: async () => {
      const found: Record<string, HostTensor> = {};
      for (const [name, t] of Object.entries(state))
        if (name.startsWith('params.')) found[name.slice('params.'.length)] = await backend.download(t);
      return found;
    },
  });
  return got && { feeds: { ...got.batch }, tokens: got.tokens, cursor: got.cursor, metrics: got.metrics ?? {} };
}

/** The mean of what sources say, over the batches that say it. */
function meanOf(batches: readonly Batch[]): Metrics {
  const names = new Set(batches.flatMap(({ metrics }) => Object.keys(metrics)));
  return Object.fromEntries(
    [...names].map(name => {
      const values = batches.flatMap(({ metrics }) => metrics[name] ?? []);
      return [name, values.reduce((a, b) => a + b, 0) / values.length];
    }),
  );
}

const typesOf = (feeds: Batch['feeds']): Types =>
  Object.fromEntries(Object.entries(feeds).map(([n, { dtype, shape }]) => [n, { dtype, shape }]));

const closeAll = (tensors: Tensors): void => {
  for (const t of Object.values(tensors)) t.close();
};

/** What does not move is the same tensor before and after. */
const closeReplaced = (old: Tensors, by: Tensors): void => {
  for (const [name, t] of Object.entries(old)) if (by[name] !== t) t.close();
};

/** Of feeds, those that live on the device. */
const closeHeld = (feeds: Feeds): void => {
  for (const t of Object.values(feeds)) if (!isHost(t)) t.close();
};

interface Start {
  readonly tensors: Record<string, HostTensor>;
  readonly step: number;
  readonly tokens: number;
  readonly cursor: unknown;
}

/** Parameters and optimizer state to start with: fresh, given, or from a checkpoint. */
async function begin(plan: TrainPlan): Promise<Start> {
  const wanted = {
    ...named('params', plan.initial ?? initialise(plan.model, plan.seed ?? 0)),
    ...named('state', firstState(plan)),
  };
  const { resume } = plan;
  if (!resume) return { tensors: wanted, step: 0, tokens: 0, cursor: undefined };
  const hash = hashJson(plan.config ?? null);
  if (resume.meta.configHash !== hash) {
    fail(
      'E_RESUME',
      `${plan.name}: expected a checkpoint of the same configuration, received one of another (step ${resume.step}). Start anew, or pass the configuration that it was made with.`,
      { expected: hash, received: resume.meta.configHash },
    );
  }
  if (resume.meta.seed !== (plan.seed ?? 0)) {
    fail(
      'E_RESUME',
      `${plan.name}: expected a checkpoint of seed ${plan.seed ?? 0}, received one of seed ${resume.meta.seed} (step ${resume.step}): what comes would draw other random numbers. Pass the seed that the run began with.`,
      { expected: plan.seed ?? 0, received: resume.meta.seed },
    );
  }
  for (const [name, { shape, dtype }] of Object.entries(wanted)) {
    const saved = resume.tensors[name];
    if (!saved || saved.dtype !== dtype || saved.shape.join() !== shape.join()) {
      fail(
        'E_RESUME',
        `${plan.name}: expected ${name} of ${dtype}[${shape.join(', ')}] in the checkpoint, received ${saved ? `${saved.dtype}[${saved.shape.join(', ')}]` : 'none'}. Is it of another model or optimizer?`,
        { name },
      );
    }
  }
  const tensors = Object.fromEntries(Object.keys(wanted).map(name => [name, resume.tensors[name]!]));
  // null: saved before the first batch was done, so the data stands where it starts.
  return { tensors, step: resume.step, tokens: resume.meta.tokens, cursor: resume.meta.cursor ?? undefined };
}

const named = <T>(prefix: string, items: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(items).map(([n, t]) => [`${prefix}.${n}`, t]));

function firstState(plan: TrainPlan): Record<string, HostTensor> {
  return Object.fromEntries(
    Object.entries(trainedTypes(plan)).flatMap(([name, { shape }]) =>
      Object.entries(plan.optimizer.state(shape)).map(([slot, s]) => {
        const tensor = zeros(s.shape);
        tensor.data.fill(s.fill);
        return [`${name}.${slot}`, tensor];
      }),
    ),
  );
}

const zeros = (shape: readonly number[]): HostTensor => ({
  dtype: 'f32',
  shape,
  data: new Float32Array(sizeOf(shape)),
});
const scalar = (x: number): HostTensor => ({ dtype: 'f32', shape: [], data: Float32Array.of(x) });

interface Place {
  readonly step: number;
  readonly tokens: number;
  readonly cursor: unknown;
  readonly seed: number;
}

/** The calls of an event that holds the run up, and the wait for what was asked through them. */
function holding(plan: TrainPlan, state: Tensors, place: Place) {
  const pending: Promise<unknown>[] = [];
  return {
    calls: {
      snapshot: () => snapshot(plan, state, place),
      waitUntil: (work: Promise<unknown>): void => void pending.push(work),
    },
    async settled(): Promise<void> {
      // Work may ask for more time for what follows it.
      while (pending.length > 0) await Promise.all(pending.splice(0));
    },
  };
}

async function snapshot(plan: TrainPlan, state: Tensors, { step, tokens, cursor, seed }: Place): Promise<Checkpoint> {
  const tensors: Record<string, HostTensor> = {};
  for (const [name, t] of Object.entries(state)) tensors[name] = await plan.backend.download(t);
  // A finite loss may have gradients that are not: what they left must not take the place of a good checkpoint.
  const bad = Object.keys(tensors).find(name => !allFinite(tensors[name]!.data));
  if (bad !== undefined) {
    fail(
      'E_NOT_FINITE',
      `${plan.name}: step ${step}: expected finite numbers to save, received NaN or infinity in ${bad}. Go back to the last checkpoint; lower the rate or clip gradients.`,
      { step, path: bad },
    );
  }
  const config = plan.config ?? null;
  const meta: CheckpointMeta = {
    format: 1,
    step,
    seed,
    cursor: cursor ?? null,
    config,
    configHash: hashJson(config),
    backend: plan.backend.name,
    plugins: plan.plugins ?? {},
    tokens,
  };
  return { step, tensors, meta };
}

/** A loop, because `every` takes several times as long on many numbers. */
function allFinite(data: HostTensor['data']): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** Says where it went wrong, lets listeners save the last good state, then throws. */
async function* failure(
  plan: TrainPlan,
  step: StepPlan,
  state: Tensors,
  batches: readonly Batch[],
  place: Place & { readonly loss: number },
): AsyncGenerator<TrainEvent, never> {
  const feeds: Record<string, HostTensor> = {};
  for (const [name, t] of Object.entries(state))
    if (name.startsWith('params.')) feeds[name] = await plan.backend.download(t);
  let where = batches.length === 1 ? 'unknown' : `the sum over ${batches.length} batches`;
  for (const [index, batch] of batches.entries()) {
    const drawn = { ...feeds, ...named('batch', batch.feeds), key: key(place.seed, place.step, index) };
    const found = await firstNotFinite(step, plan.backend, drawn, plan.kernels);
    if (found) {
      where = batches.length === 1 ? found : `${found}, in batch ${index + 1} of ${batches.length}`;
      break;
    }
  }
  const hold = holding(plan, state, place);
  yield { type: 'step.failed', step: place.step + 1, loss: place.loss, path: where, ...hold.calls };
  // What went wrong first is what must be said, even if saving fails after it.
  const unsaved = await hold.settled().then(
    () => null,
    (error: unknown) => ({ error }),
  );
  const words = unsaved && (unsaved.error instanceof Error ? unsaved.error.message : String(unsaved.error));
  const advice = unsaved
    ? `Saving the state before the step failed too: ${words}`
    : where.startsWith('params.')
      ? 'The step before it left it so, from a finite loss: go back to the last checkpoint, and lower the rate or clip gradients.'
      : 'The state before the step is whole: lower the rate or clip gradients, and resume from it.';
  throw new HeddleError(
    'E_NOT_FINITE',
    `${plan.name}: step ${place.step + 1}: expected a finite loss, received ${place.loss}; the first tensor that is not finite is ${where}. ${advice}`,
    { step: place.step + 1, loss: place.loss, path: where },
    unsaved?.error,
  );
}

/** Each batch of a step draws other random numbers: the step's key, shifted by a stride beyond any step count. */
const key = (seed: number, step: number, batch = 0): HostTensor => ({
  dtype: 'i32',
  shape: [2],
  data: Int32Array.of(seed + batch * 0x3779b9, step),
});

/** Each shape has a compiled step of its own: a source with more has most likely forgotten to pad. */
const mostShapes = 64;

/**
 * The compiled step: one executable for each shape of batches; with accumulation one that adds up for each shape, and one
 * that applies.
 */
class Engine {
  readonly #plan: TrainPlan;
  readonly #step: StepPlan;
  readonly #byShape = new Map<string, Executable>();
  readonly #apply: Executable | null;
  readonly #sums: Types;
  /** Names of what is new after a step. */
  readonly #moves: readonly string[];

  private constructor(plan: TrainPlan, step: StepPlan, apply: Executable | null, sums: Types) {
    this.#plan = plan;
    this.#step = step;
    this.#apply = apply;
    this.#sums = sums;
    this.#moves = [
      ...Object.keys(trainedTypes(step)).map(name => `params.${name}`),
      ...Object.keys(stateTypes(step)).map(name => `state.${name}`),
    ];
  }

  static async open(plan: TrainPlan, step: StepPlan, accumulate: number): Promise<Engine> {
    if (!(Number.isInteger(accumulate) && accumulate >= 1))
      fail('E_CONFIG', `${plan.name}: accumulate: expected a whole number from 1 up, received ${accumulate}.`, {
        accumulate,
      });
    if (accumulate === 1) {
      const engine = new Engine(plan, step, null, {});
      await engine.#compiled(step.batch);
      return engine;
    }
    const options = plan.kernels ? { kernels: plan.kernels } : {};
    const apply = await plan.backend.compile(applyStep(step), { ...options, name: 'apply' });
    const engine = new Engine(plan, step, apply, sumTypes(step));
    try {
      await engine.#compiled(step.batch);
    } catch (error) {
      await apply.close();
      throw error;
    }
    return engine;
  }

  /** Finds, or compiles, what each batch runs on. @returns with the milliseconds that it took */
  async prepare(batches: readonly Batch[]): Promise<{ readonly prepared: readonly Prepared[]; readonly ms: number }> {
    const from = performance.now();
    const prepared: Prepared[] = [];
    for (const { feeds } of batches) prepared.push({ feeds, compiled: await this.#compiled(typesOf(feeds)) });
    return { prepared, ms: performance.now() - from };
  }

  async #compiled(batch: Types): Promise<Executable> {
    const shape = JSON.stringify(Object.entries(batch).sort(([a], [b]) => (a < b ? -1 : 1)));
    const known = this.#byShape.get(shape);
    if (known) return known;
    if (this.#byShape.size === mostShapes)
      fail(
        'E_DATA',
        `${this.#plan.name}: expected batches of at most ${mostShapes} shapes, received one more: ${Object.entries(
          batch,
        )
          .map(([name, type]) => `${name} [${type.shape.join(', ')}]`)
          .join(', ')}. Pad rows to a few lengths.`,
        { shapes: mostShapes },
      );
    const step = { ...this.#step, batch };
    const compiled = await this.#plan.backend.compile(this.#apply ? accumulateStep(step) : trainStep(step), {
      ...(this.#plan.kernels ? { kernels: this.#plan.kernels } : {}),
      name: this.#apply ? 'accumulate' : 'train',
    });
    this.#byShape.set(shape, compiled);
    return compiled;
  }

  async step(
    state: Tensors,
    batches: readonly Prepared[],
    scalars: Readonly<Record<string, number>>,
    seed: number,
    at: number,
  ): Promise<{ readonly next: Tensors; readonly loss: number; readonly metrics: Record<string, number> }> {
    const keep = this.#moves;
    const fed = named('scalars', Object.fromEntries(Object.entries(scalars).map(([n, x]) => [n, scalar(x)])));
    const { outputs, kept } = this.#apply
      ? await this.#accumulated(this.#apply, state, batches, fed, seed, at, keep)
      : await batches[0]!.compiled.run(
          { ...state, ...fed, ...named('batch', batches[0]!.feeds), key: key(seed, at) },
          { keep },
        );
    const metrics: Record<string, number> = {};
    for (const [name, t] of Object.entries(outputs))
      if (name.startsWith('metrics.')) metrics[name.slice(8)] = t.data[0]!;
    return { next: { ...state, ...kept }, loss: outputs['loss']!.data[0]!, metrics };
  }

  async #accumulated(
    apply: Executable,
    state: Tensors,
    batches: readonly Prepared[],
    fed: Feeds,
    seed: number,
    at: number,
    keep: readonly string[],
  ) {
    const params = Object.fromEntries(Object.entries(state).filter(([n]) => n.startsWith('params.')));
    const names = Object.keys(this.#sums).map(n => `sums.${n}`);
    let sums: Feeds = Object.fromEntries(
      Object.entries(this.#sums).map(([n, { shape }]) => [`sums.${n}`, zeros(shape)]),
    );
    try {
      for (const [i, { feeds, compiled }] of batches.entries()) {
        const old = sums;
        const { kept } = await compiled.run(
          { ...params, ...sums, ...named('batch', feeds), key: key(seed, at, i) },
          { keep: names },
        );
        sums = kept;
        closeHeld(old);
      }
      const moved = Object.fromEntries(keep.map(name => [name, state[name]!]));
      return await apply.run({ ...moved, ...sums, ...fed }, { keep });
    } finally {
      closeHeld(sums);
    }
  }

  async close(): Promise<void> {
    for (const compiled of this.#byShape.values()) await compiled.close();
    await this.#apply?.close();
  }
}
