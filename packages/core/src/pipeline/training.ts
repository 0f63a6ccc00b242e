/** Training as part of a stage: it goes on where it was stopped, says what it does, and gives the weights at its end. */

import { lastValueFrom, tap } from 'rxjs';
import type { Checkpoint, TrainEvent } from '../train/events.js';
import { checkpointEvery, stopWhen, type CheckpointStore } from '../train/operators.js';
import { parametersIn } from '../train/parameters.js';
import type { TrainPlan } from '../train/plan.js';
import { train } from '../train/trainer.js';
import type { StageContext } from './stage.js';

export interface StageTraining {
  /** Where it goes on from, by `context.key`. None: it begins anew. */
  readonly at?: { readonly store: CheckpointStore; readonly every: number };
  /** Ends it after the step at which so many tokens were learnt from. */
  readonly tokens?: number | null;
}

export interface StageTrained {
  readonly step: number;
  /** Learnt from, over all. */
  readonly tokens: number;
  readonly parameters: Checkpoint['tensors'];
  /** It made all its steps, or learnt from all its tokens; false where its data ended before. */
  readonly whole: boolean;
}

/** @throws what the context's signal was aborted with; as `train` */
export async function trainWithin(
  plan: Omit<TrainPlan, 'resume' | 'config'>,
  context: StageContext,
  { at, tokens: budget = null }: StageTraining = {},
): Promise<StageTrained> {
  const { signal } = context;
  const resume = (await at?.store.latest()) ?? null;
  let tokens = resume?.meta.tokens ?? 0;
  let end: { readonly step: number; readonly parameters: StageTrained['parameters'] } | null = null;
  const spent = (): boolean => budget !== null && tokens >= budget;
  // Stopped after its last step, there is nothing left to do.
  const steps = resume !== null && spent() ? resume.step : plan.steps;
  await lastValueFrom(
    train({ ...plan, steps, resume, config: { key: context.key } }, { signal }).pipe(
      tap(event => {
        if (event.type === 'step.finished') tokens += event.tokens;
      }),
      stopWhen(spent),
      at ? checkpointEvery(at.every, at.store) : tap(),
      tap((event: TrainEvent) => {
        context.emit(event);
        if (event.type === 'run.finished' && event.reason !== 'cancelled')
          event.waitUntil(
            event.snapshot().then(({ tensors }) => (end = { step: event.step, parameters: parametersIn(tensors) })),
          );
      }),
    ),
  );
  signal.throwIfAborted();
  const { step, parameters } = end!;
  return { step, tokens, parameters, whole: step >= plan.steps || spent() };
}
