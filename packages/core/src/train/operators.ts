/** Callbacks are operators: what happens beside training is piped onto its events. */

import { Observable, tap, type OperatorFunction } from 'rxjs';
import { fail, HeddleError, isHeddleError } from '../errors.js';
import type { Checkpoint, Metrics, RunFinished, StepFailed, StepFinished, TrainEvent } from './events.js';

/** Where checkpoints go. */
export interface CheckpointStore {
  /** @returns where it is; whole or not there at all */
  save(checkpoint: Checkpoint, label?: string): Promise<string>;
  /** The newest whole one, or null. Labelled ones are left out. */
  latest(): Promise<Checkpoint | null>;
}

type Operator = OperatorFunction<TrainEvent, TrainEvent>;
type Holding = StepFinished | StepFailed | RunFinished;

/** Passes every event on, then does `work` for it, whose event follows before the next step begins. */
const after =
  (
    work: (event: TrainEvent) => (() => Promise<TrainEvent>) | null,
    told: (error: unknown) => unknown = error => error,
  ): Operator =>
  events =>
    new Observable(out =>
      events.subscribe({
        next(event) {
          out.next(event);
          const task = work(event);
          if (task) (event as Holding).waitUntil(task().then(result => out.next(result)));
        },
        error: (error: unknown) => out.error(told(error)),
        complete: () => out.complete(),
      }),
    );

function positive(n: number, name: string): void {
  if (!(Number.isInteger(n) && n >= 1))
    fail('E_CONFIG', `${name}: expected a whole number of steps from 1 up, received ${n}.`, { n });
}

/**
 * Saves every `n` steps and when the run ends, however it ends; the last good state, labelled, when a step fails. When
 * the device is lost there is nothing left to save: the error then names the last checkpoint.
 */
export function checkpointEvery(n: number, store: CheckpointStore): Operator {
  positive(n, 'checkpointEvery');
  let saved = -1;
  let last: { readonly step: number; readonly uri: string } | null = null;
  const save = async (step: number, snapshot: () => Promise<Checkpoint>, label?: string): Promise<TrainEvent> => {
    const uri = await store.save(await snapshot(), label);
    if (label === undefined) [saved, last] = [step, { step, uri }];
    return { type: 'checkpoint.saved', step, uri };
  };
  return after(
    event => {
      if (event.type === 'run.started') [saved, last] = [-1, null]; // the same operator may watch several runs
      if (event.type === 'step.failed') return () => save(event.step - 1, event.snapshot, 'before-failure');
      if (event.type === 'step.finished' && event.step % n === 0) return () => save(event.step, event.snapshot);
      if (event.type === 'run.finished' && event.step !== saved && event.step > 0)
        return () => save(event.step, event.snapshot);
      return null;
    },
    error => withCheckpoint(error, last),
  );
}

function withCheckpoint(error: unknown, last: { readonly step: number; readonly uri: string } | null): unknown {
  if (!isHeddleError(error) || error.code !== 'E_DEVICE_LOST') return error;
  const words = last
    ? `The last checkpoint is of step ${last.step}: ${last.uri}.`
    : 'No checkpoint was saved by this run.';
  return new HeddleError(error.code, `${error.message} ${words}`, { ...error.details, checkpoint: last }, error);
}

/** Scores every `n` steps and after the last planned one. */
export function evaluateEvery(n: number, score: (event: StepFinished) => Promise<Metrics>): Operator {
  positive(n, 'evaluateEvery');
  return after(event => {
    if (event.type !== 'step.finished' || (event.step % n !== 0 && event.step !== event.steps)) return null;
    return async () => ({ type: 'evaluation.finished', step: event.step, scores: await score(event) });
  });
}

/** Ends the run after the first step for which `reached` holds. */
export const stopWhen = (reached: (event: StepFinished) => boolean): Operator =>
  tap(event => {
    if (event.type === 'step.finished' && reached(event)) event.stop();
  });

export const lossBelow =
  (limit: number) =>
  ({ loss }: StepFinished): boolean =>
    loss < limit;
