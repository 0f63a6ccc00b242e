/** One training run in its folder: engine, events, checkpoints, validation, samples, and the model at the end. */

import { Subject } from 'rxjs';
import {
  checkpointEvery,
  evaluateEvery,
  initialise,
  nextToken,
  parametersIn,
  train,
  type Backend,
  type Checkpoint,
  type Host,
  type HostTensor,
  type TrainEvent,
  type TrainPlan,
} from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import { packedBatches } from '@heddle/text';
import { logTo } from './event-log.js';
import { saveModel } from './model-folder.js';
import type { Prepared } from './prepare.js';
import { identityOf } from './read-settings.js';
import { recipe } from './recipe.js';
import { places } from './run-folder.js';
import { trackWith } from './trackers.js';
import { openValidation, type Validation } from './validation.js';

export interface Training {
  readonly host: Host;
  readonly backend: Backend;
  readonly prepared: Prepared;
  readonly folder: string;
  /** For people. */
  readonly name: string;
  readonly resume: Checkpoint | null;
  readonly signal: AbortSignal;
  /** Trackers by name. */
  readonly trackers: readonly string[];
  /** Every event, before the next step begins. */
  readonly see?: (event: TrainEvent) => void;
  /** Called every `sampleEvery` steps with the parameters of then. */
  readonly sample?: (step: number, parameters: Readonly<Record<string, HostTensor>>) => Promise<void>;
  readonly note: (text: string) => void;
}

export interface Trained {
  readonly reason: 'steps' | 'stopped' | 'cancelled';
  readonly step: number;
  /** Of the last step that ran here; null when none did. */
  readonly loss: number | null;
  /** Before the first step and after the last; null without validation text. */
  readonly validation: { readonly before: number; readonly after: number } | null;
  readonly parameters: Readonly<Record<string, HostTensor>>;
  readonly before: Readonly<Record<string, HostTensor>>;
  readonly tokens: number;
  readonly seconds: number;
}

/** A setting of 0 means never, which operators have no word for. */
const never = 2 ** 31 - 1;

export async function runTraining(run: Training): Promise<Trained> {
  const { host, backend, prepared, folder, resume, signal } = run;
  const { settings, model } = prepared;
  const at = places(folder);
  const objective = nextToken();
  const { kernels } = host;
  const validation =
    prepared.validation === null
      ? null
      : await openValidation({
          backend,
          kernels,
          model,
          objective,
          tokens: prepared.validation,
          batch: settings.batch,
          length: settings.length,
        });
  try {
    const before = resume === null ? initialise(model, settings.seed) : parametersIn(resume.tensors);
    const lossBefore = validation === null ? null : await validation.loss(before);
    const plan: TrainPlan = {
      name: run.name,
      model,
      objective,
      ...recipe(settings),
      data: packedBatches(prepared.training, { batch: settings.batch, length: settings.length, seed: settings.seed }),
      backend,
      kernels,
      steps: settings.steps,
      seed: settings.seed,
      ...(settings.clip > 0 ? { clip: settings.clip } : {}),
      accumulate: settings.accumulate,
      resume,
      config: identityOf(settings),
      plugins: Object.fromEntries(host.plugins.map(({ name, version }) => [name, version])),
    };
    const store = checkpointFolder(at.checkpoints);
    const last = { loss: null as number | null, tokens: 0, seconds: 0 };
    // The last evaluation and the end of a run often fall on one step.
    const score = scorer(validation);
    let end: Ended | null = null;

    const finish = async (
      step: number,
      reason: Trained['reason'],
      snapshot: () => Promise<Checkpoint>,
    ): Promise<void> => {
      const parameters = parametersIn((await snapshot()).tensors);
      const after = reason === 'cancelled' ? null : await score(step, () => Promise.resolve(parameters));
      if (reason !== 'cancelled')
        await saveModel(
          at.model,
          { model, parameters, tokenizer: prepared.tokenizer },
          { step, loss: last.loss, validationLoss: after },
        );
      end = { reason, step, loss: last.loss, parameters, tokens: last.tokens, seconds: last.seconds, after };
    };

    const saved = train(plan, { signal }).pipe(checkpointEvery(settings.checkpointEvery || never, store));
    const events =
      settings.evaluateEvery === 0 || validation === null
        ? saved
        : saved.pipe(
            evaluateEvery(settings.evaluateEvery, async ({ step, snapshot }) => ({
              validationLoss: (await score(step, async () => parametersIn((await snapshot()).tensors))) ?? Number.NaN,
            })),
          );
    const log = logTo(at.events, run.note);
    const heard = new Subject<TrainEvent>();
    trackWith(host, run.trackers, heard, run.folder, { name: run.name, file: at.report, log: at.events });

    await new Promise<void>((resolve, reject) => {
      events.subscribe({
        next(event) {
          log(event);
          heard.next(event);
          run.see?.(event);
          if (event.type === 'step.finished') {
            last.loss = event.loss;
            last.tokens += event.tokens;
            last.seconds += event.seconds;
            const due = settings.sampleEvery > 0 && event.step % settings.sampleEvery === 0;
            if (due && run.sample)
              event.waitUntil(event.snapshot().then(({ tensors }) => run.sample?.(event.step, parametersIn(tensors))));
          }
          if (event.type === 'run.finished') event.waitUntil(finish(event.step, event.reason, event.snapshot));
        },
        error(error: unknown) {
          heard.error(error);
          reject(error as Error);
        },
        complete() {
          heard.complete();
          resolve();
        },
      });
    });
    const ended = end as Ended | null; // the subscriber set it
    if (ended === null) throw new Error('the run ended without saying so');
    const { after, ...rest } = ended;
    return {
      ...rest,
      before,
      validation: lossBefore === null || after === null ? null : { before: lossBefore, after },
    };
  } finally {
    await validation?.close();
  }
}

type Ended = Omit<Trained, 'before' | 'validation'> & { readonly after: number | null };

/** Validation losses by step, so that none is worked out twice; null without validation text. */
function scorer(validation: Validation | null) {
  let known: { readonly step: number; readonly loss: number } | null = null;
  return async (
    step: number,
    parameters: () => Promise<Readonly<Record<string, HostTensor>>>,
  ): Promise<number | null> => {
    if (validation === null) return null;
    if (known?.step !== step) known = { step, loss: await validation.loss(await parameters()) };
    return known.loss;
  };
}
