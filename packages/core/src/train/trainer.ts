/** The loop seen from outside: a cold Observable. Subscribing starts, unsubscribing aborts. */

import { Observable } from 'rxjs';
import { loop } from './loop.js';
import type { TrainEvent } from './events.js';
import type { TrainPlan } from './plan.js';

/**
 * A run. Nothing happens until somebody subscribes; each subscriber gets a run of its own, so share it if two listen.
 * Errors arrive as `HeddleError` on the error channel.
 *
 * @param signal ends the run after the running step, with a last event `run.finished` (`cancelled`)
 */
export const train = (plan: TrainPlan, { signal }: { readonly signal?: AbortSignal } = {}): Observable<TrainEvent> =>
  fromLoop(stop => loop(plan, stop), signal);

/** Turns a pull loop into a push stream whose listeners can hold it up through `waitUntil`. */
export function fromLoop<E>(open: (signal: AbortSignal) => AsyncGenerator<E>, signal?: AbortSignal): Observable<E> {
  return new Observable<E>(out => {
    const stop = new AbortController();
    const events = open(signal ? AbortSignal.any([stop.signal, signal]) : stop.signal);
    const pump = async (): Promise<void> => {
      for await (const event of events) {
        if (out.closed) break;
        out.next(event);
      }
      out.complete();
    };
    pump().catch((error: unknown) => out.error(error));
    return () => stop.abort();
  });
}
