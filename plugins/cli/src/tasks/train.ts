/** One model of a task: trained, looked at while it learns, tested, saved. Goes on where it stopped. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  MODELS,
  adamW,
  checkpointEvery,
  countParameters,
  evaluateEvery,
  parametersIn,
  schedule,
  sequenceToSequence,
  train,
  type Backend,
  type Checkpoint,
  type EncoderDecoderModel,
  type Host,
  type HostTensor,
  type TrainEvent,
} from '@heddle/core';
import { checkpointFolder } from '@heddle/core/node';
import { bleu, chrf, corpusScore, type CorpusMetric } from '@heddle/eval-text';
import { encodePairs, pairBatches, type Pair, type Tokenizer } from '@heddle/text';
import { readRun } from '@heddle/tracker-report';
import { partsOf } from '@heddle/transformer';
import { Subject, lastValueFrom, tap, toArray } from 'rxjs';
import { logTo } from '../event-log.js';
import { readJsonObject, writeJson } from '../json-file.js';
import { expectKind } from '../model.js';
import { saveModel } from '../model-folder.js';
import { exists, places } from '../run-folder.js';
import { trackWith } from '../trackers.js';
import { ofEqualSize } from './equal-size.js';
import { lookAt, meanSimilarity, type Look } from './look.js';
import { openWriter } from './writer.js';
import type { TaskCorpus } from './corpus.js';
import { taskModels, type TaskModel, type TaskSettings } from './settings.js';

export interface TaskResult {
  readonly model: TaskModel;
  readonly parameters: number;
  readonly steps: number;
  /** Target tokens learnt from, and the seconds of their steps. */
  readonly tokens: number;
  readonly seconds: number;
  /** Negative log-probability of a target token, the mean of the last steps. */
  readonly loss: number;
  readonly bleu: number;
  readonly chrf: number;
  /** For each test sentence. */
  readonly written: readonly string[];
  /** Of the first of them, as it should be. */
  readonly look: Look | null;
}

export interface TaskTraining {
  readonly host: Host;
  readonly backend: Backend;
  readonly settings: TaskSettings;
  readonly name: TaskModel;
  readonly corpus: TaskCorpus;
  readonly tokenizer: Tokenizer;
  readonly folder: string;
  readonly signal: AbortSignal;
  /** Trackers by name. */
  readonly trackers: readonly string[];
  readonly note: (text: string) => void;
  /** Every event, before the next step begins. */
  readonly see?: (event: TrainEvent) => void;
}

/** Tokens of the longest text; longer pairs are left out. */
const length = 64;

/** @returns what came of it, or null when it was stopped */
export async function trainModel(run: TaskTraining): Promise<TaskResult | null> {
  const { host, backend, settings, name, corpus, tokenizer, folder, signal } = run;
  const at = { ...places(folder), result: join(folder, 'result.json') };
  await mkdir(folder, { recursive: true });
  if (await exists(at.result))
    return (await readJsonObject(at.result, 'the result of a task')) as unknown as TaskResult; // written below
  const model = modelOf(host, settings, name, tokenizer.vocabularySize);
  const write = async (parameters: Parameters, pairs: readonly Pair[], beams: number): Promise<readonly string[]> => {
    const batch = Math.min(16, pairs.length);
    const writer = openWriter({ model, parameters, tokenizer, backend, kernels: host.kernels, batch, beams });
    const texts = new Array<string>(pairs.length).fill('');
    const done = await lastValueFrom(
      writer
        .write(
          pairs.map(({ source }) => source),
          signal,
        )
        .pipe(toArray()),
    );
    for (const { row, text } of done) texts[row] = text;
    await writer.close();
    return texts;
  };
  const look = (parameters: Parameters, pair: Pair): Promise<Look | null> =>
    lookAt(model, parameters, pair, { tokenizer, backend, kernels: host.kernels });
  const store = checkpointFolder(at.checkpoints);
  const log = logTo(at.events, run.note);
  const heard = new Subject<TrainEvent>();
  trackWith(host, run.trackers, heard, folder, { name, file: at.report, log: at.events });

  const every = Math.max(1, Math.ceil(settings.steps / 5));
  let end: { readonly step: number; readonly parameters: Parameters } | null = null;
  await lastValueFrom(
    train(
      {
        name,
        model,
        objective: sequenceToSequence({ labelSmoothing: 0.1 }),
        optimizer: adamW({ betas: [0.9, 0.98] }),
        schedule: schedule.inverseSqrt(settings.rate, { warmUp: Math.max(1, Math.round(settings.steps / 5)) }),
        data: pairBatches([encodePairs(corpus.parts.train, { tokenizer, longest: length })], {
          tokens: settings.tokens,
          buckets: 4,
          seed: settings.seed,
        }),
        backend,
        kernels: host.kernels,
        steps: settings.steps,
        seed: settings.seed,
        clip: 1,
        resume: await store.latest(),
        config: { ...settings, models: [name] },
        plugins: Object.fromEntries(host.plugins.map(plugin => [plugin.name, plugin.version])),
      },
      { signal },
    ).pipe(
      checkpointEvery(every, store),
      evaluateEvery(every, async ({ snapshot }) => {
        const parameters = parametersIn((await snapshot()).tensors);
        const seen = await look(parameters, corpus.parts.validation[0]!);
        const similarity = seen && meanSimilarity(seen);
        return {
          ...scoresOf(await write(parameters, corpus.parts.validation, 1), corpus.parts.validation),
          ...(similarity === null ? {} : { 'head similarity': similarity }),
        };
      }),
      tap(event => {
        log(event);
        heard.next(event);
        run.see?.(event);
        const keep = async (snapshot: () => Promise<Checkpoint>, step: number): Promise<void> => {
          end = { step, parameters: parametersIn((await snapshot()).tensors) };
        };
        if (event.type === 'run.finished' && event.reason !== 'cancelled')
          event.waitUntil(keep(event.snapshot, event.step));
      }),
    ),
  );
  heard.complete();
  const ended = end as { readonly step: number; readonly parameters: Parameters } | null;
  if (ended === null || signal.aborted) return null;
  const written = await write(ended.parameters, corpus.parts.test, 4);
  if (signal.aborted) return null;
  const { BLEU, chrF } = scoresOf(written, corpus.parts.test);
  const { points } = await readRun(at.events, name);
  const last = points.slice(-Math.max(1, Math.ceil(points.length / 20)));
  const result: TaskResult = {
    model: name,
    parameters: countParameters(model),
    steps: ended.step,
    tokens: points.reduce((sum, { tokens }) => sum + tokens, 0),
    seconds: points.reduce((sum, { seconds }) => sum + seconds, 0),
    loss: last.reduce((sum, { loss, metrics }) => sum + (metrics['nll'] ?? loss), 0) / last.length,
    bleu: BLEU,
    chrf: chrF,
    written,
    look: await look(ended.parameters, corpus.parts.test[0]!),
  };
  await saveModel(at.model, { model, parameters: ended.parameters, tokenizer }, { step: ended.step, ...settings });
  await writeJson(at.result, result);
  return result;
}

type Parameters = Readonly<Record<string, HostTensor>>;

const scoresOf = (
  written: readonly string[],
  pairs: readonly Pair[],
): { readonly BLEU: number; readonly chrF: number } => {
  const references = [pairs.map(({ target }) => target)];
  const of = (metric: CorpusMetric): number => corpusScore(metric, written, references).score.score;
  return { BLEU: of(bleu()), chrF: of(chrf()) };
};

function modelOf(host: Host, settings: TaskSettings, name: TaskModel, vocabulary: number): EncoderDecoderModel {
  const { width, depth } = settings;
  const make = (of: TaskModel, more: Readonly<Record<string, number>> = {}): EncoderDecoderModel => {
    const config = {
      vocabulary,
      width,
      heads: 4,
      depth,
      encoderDepth: depth,
      length,
      sourceLength: length,
      dropout: 0.1,
    };
    const made = host.find(MODELS, 'encoder-decoder').create({ ...config, ...taskModels[of], ...more }, partsOf(host));
    return expectKind(made, 'encoder-decoder');
  };
  return ofEqualSize(name, settings.models, make);
}
