/** Running a flow on a host: finds the executor, ties the run to the host's life and to the subscriber's. */

import { Observable } from 'rxjs';
import { HeddleError } from '../errors.js';
import type { FlowPlan, Job, Store } from '../pipeline/executor.js';
import type { Flow } from '../pipeline/flow.js';
import type { HeddleEvent } from '../train/events.js';
import { refuseClosed, scopeOf, type Closable } from './container.js';
import type { Host } from './host.js';
import { EXECUTORS } from './points.js';

export interface ExecuteOptions {
  /** Name of an executor; `in-process` unless said. */
  readonly executor?: string;
  /** Run every stage again, cached or not. */
  readonly fresh?: boolean;
  /** Where artifacts and results go; the host's own unless said. */
  readonly store?: Store;
  /** Ends the run with E_CANCELLED. Unsubscribing ends it too, in silence. */
  readonly signal?: AbortSignal;
}

const defaultExecutor = 'in-process';

/**
 * Cold: subscribing submits, unsubscribing cancels; closing the host cancels with E_CLOSED.
 *
 * @param running the runs of this host; the host ends them before it closes anything
 */
export function execute<I, O>(
  host: Host,
  running: Set<Closable>,
  flow: Flow<I, O>,
  input: I,
  options: ExecuteOptions,
): Observable<HeddleEvent> {
  return new Observable<HeddleEvent>(out => {
    refuseClosed(scopeOf(host.container), `flow '${flow.name}'`);
    const executor = host.find(EXECUTORS, options.executor ?? defaultExecutor);

    const stop = new AbortController();
    const cancel = (): void => stop.abort(options.signal?.reason);
    if (options.signal?.aborted === true) cancel();
    options.signal?.addEventListener('abort', cancel, { once: true });

    const subscription = executor.submit(jobOf(host, flow, input, options, stop.signal)).subscribe(out);
    const run = {
      close: () =>
        new Promise<void>(ended => {
          stop.abort(
            new HeddleError(
              'E_CLOSED',
              `flow '${flow.name}': ${host.name} was closed while it ran. Finished stages are kept; run it again on an open host.`,
            ),
          );
          subscription.add(ended); // at once, if it has ended by now
        }),
    };
    running.add(run);
    subscription.add(() => {
      options.signal?.removeEventListener('abort', cancel);
      running.delete(run);
    });
    return subscription;
  });
}

/** What `execute` would do. */
export async function plan<I, O>(host: Host, flow: Flow<I, O>, input: I, options: ExecuteOptions): Promise<FlowPlan> {
  refuseClosed(scopeOf(host.container), `flow '${flow.name}'`);
  const executor = host.find(EXECUTORS, options.executor ?? defaultExecutor);
  return executor.plan(jobOf(host, flow, input, options, options.signal ?? new AbortController().signal));
}

const jobOf = (
  host: Host,
  flow: Job['flow'],
  input: unknown,
  { fresh = false, store }: ExecuteOptions,
  signal: AbortSignal,
): Job => ({
  flow,
  input,
  host,
  fresh,
  store: store ?? null,
  signal,
});
