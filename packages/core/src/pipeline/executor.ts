/** Who runs flows: the interface, and the executor that runs them here, one stage after another. */

import { Observable } from 'rxjs';
import { HeddleError, isHeddleError } from '../errors.js';
import { get } from '../plugin/container.js';
import type { Host } from '../plugin/host.js';
import type { HeddleEvent } from '../train/events.js';
import { ARTIFACTS, type Artifacts } from './artifacts.js';
import { stagesOf, type AnyFlow, type Step } from './flow.js';
import { planFlow } from './plan.js';
import { RESULTS, type StageResults } from './results.js';
import { runStage, type Site } from './run.js';

/** Where a run keeps things. */
export interface Store {
  readonly artifacts: Artifacts;
  readonly results: StageResults;
}

/** A flow to run, with all that it runs on. */
export interface Job {
  readonly flow: AnyFlow;
  readonly input: unknown;
  readonly host: Host;
  /** Run every stage, cached or not. */
  readonly fresh: boolean;
  /** null: the host's own. */
  readonly store: Store | null;
  /** Cancels the run; its reason becomes the run's error. */
  readonly signal: AbortSignal;
}

export interface PlannedStage {
  readonly path: string;
  readonly name: string;
  readonly version: number;
  /** null while it depends on a stage that has not run. */
  readonly key: string | null;
  readonly state: 'cached' | 'runs' | 'waits';
  /** In the executor's words: `in this process`. */
  readonly where: string;
}

export interface FlowPlan {
  readonly flow: string;
  readonly stages: readonly PlannedStage[];
}

/** A way to run flows. An executor on a queue ships keys and JSON; its worker opens the same host and calls `runStage`. */
export interface Executor {
  readonly name: string;
  /** What would run where; runs nothing. */
  plan(job: Job): Promise<FlowPlan>;
  /** Cold: subscribing submits, unsubscribing cancels. Ends with `flow.finished`, or with the error of the stage that failed. */
  submit(job: Job): Observable<HeddleEvent>;
}

/** Runs flows in this process, one stage at a time. */
export const inProcess: Executor = {
  name: 'in-process',
  plan: async job => planFlow(job, storeOf(job.store, job.host), 'in this process'),
  submit: job =>
    new Observable(out => {
      const stop = new AbortController();
      const cancel = (): void => stop.abort(job.signal.reason);
      if (job.signal.aborted) cancel();
      job.signal.addEventListener('abort', cancel, { once: true });
      runFlow(job, stop.signal, event => out.next(event)).then(
        () => out.complete(),
        (error: unknown) => out.error(job.signal.aborted ? cancelled(job) : error),
      );
      return () => {
        job.signal.removeEventListener('abort', cancel);
        stop.abort();
      };
    }),
};

async function runFlow(
  { flow, input, host, fresh, store }: Job,
  signal: AbortSignal,
  emit: Site['emit'],
): Promise<void> {
  signal.throwIfAborted();
  // What stages open, and what is made once per pipeline, lives in this child and closes with it.
  const scope = host.fork({ name: flow.name });
  const site = { flow: flow.name, host: scope, store: storeOf(store, scope), fresh, signal, emit };
  try {
    emit({ type: 'flow.started', flow: flow.name, stages: stagesOf(flow.steps).map(({ path }) => path) });
    const output = await runSteps(flow.steps, input, site);
    emit({ type: 'flow.finished', flow: flow.name, output });
  } finally {
    await scope.close();
  }
}

async function runSteps(steps: readonly Step[], input: unknown, site: Omit<Site, 'path'>): Promise<unknown> {
  let value = input;
  for (const step of steps) {
    site.signal.throwIfAborted();
    value =
      step.kind === 'stage'
        ? await runStage(step.stage, value, { ...site, path: step.path })
        : await runBranches(step.branches, value, site);
  }
  return value;
}

/** One branch after another: stages use all cores by themselves, and events stay in order. */
async function runBranches(
  branches: Readonly<Record<string, readonly Step[]>>,
  input: unknown,
  site: Omit<Site, 'path'>,
): Promise<unknown> {
  const outputs: [string, unknown][] = [];
  for (const [name, steps] of Object.entries(branches)) outputs.push([name, await runSteps(steps, input, site)]);
  return Object.fromEntries(outputs);
}

const storeOf = (store: Store | null, host: Host): Store =>
  store ?? { artifacts: get(host.container, ARTIFACTS), results: get(host.container, RESULTS) };

/** The reason of the abort where it is one of our errors (a closed host), otherwise E_CANCELLED. */
function cancelled({ flow, signal }: Job): unknown {
  if (isHeddleError(signal.reason)) return signal.reason;
  return new HeddleError(
    'E_CANCELLED',
    `flow '${flow.name}': cancelled by its signal. Finished stages are kept; run it again to go on.`,
    { flow: flow.name },
    signal.reason,
  );
}
