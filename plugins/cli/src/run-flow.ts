/** Runs a pipeline of training stages for people and programs: progress, logs, trackers, and what each stage did. */

import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import {
  HeddleError,
  inProcess,
  parseJson,
  partOf,
  printPlan,
  stagesOf,
  type Backend,
  type CommandCall,
  type Flow,
  type HeddleEvent,
  type Host,
  type Job,
  type Store,
  type TrainEvent,
} from '@heddle/core';
import { openFolderStore } from '@heddle/core/node';
import { readRun, type RunRecord } from '@heddle/tracker-report';
import { Subject, lastValueFrom, tap } from 'rxjs';
import { askedStage, runApart, whileParentLives, type ApartOptions } from './apart.js';
import { engineLines, openEngine } from './engine.js';
import { eventJson, logTo } from './event-log.js';
import { exitCodes } from './failure.js';
import { exists, holdRun, moveAside } from './run-folder.js';
import { trackersOf, trackWith } from './trackers.js';
import { forgetUnfinished } from './unfinished.js';
import { timeTaken } from './words.js';

export interface OpenedRun {
  readonly folder: string;
  /** Prints for people; nothing where a program reads. */
  readonly say: (text: string) => void;
  readonly backend: Backend;
  /** It gets a job that ends, and has said so. */
  readonly isReference: boolean;
}

/**
 * The folder of a run, held until the host closes, and an engine.
 *
 * @param name of the folder where nobody says another; a child's folder is held by its parent
 */
export async function openRun(
  { options, print, note }: CommandCall,
  host: Host,
  name: string,
  { isChild = false, threads }: { readonly isChild?: boolean; readonly threads?: number } = {},
): Promise<OpenedRun> {
  const folder = typeof options['out'] === 'string' ? options['out'] : join('.heddle', name);
  const say = (text: string): void => {
    if (options['json'] !== true && !isChild) print(text);
  };
  if (!isChild && options['fresh'] === true && options['plan'] !== true && (await exists(folder)))
    note(`What was there is kept in ${await moveAside(folder)}.`);
  if (!isChild) await host.open(() => holdRun(folder)); // let go when the host closes
  const wanted = typeof options['backend'] === 'string' ? options['backend'] : 'auto';
  const engine = await openEngine(host, wanted, threads === undefined ? {} : { threads });
  const isReference = engine.backend.name === 'reference';
  for (const line of engineLines(engine)) say(line);
  if (isReference)
    say('  The reference engine is slow by design: the stages are the same, and too short to teach anything.');
  return { folder, say, backend: engine.backend, isReference };
}

/** A run of stages that may be shared out among processes; in one of them it is asked for one stage. */
export interface StagedRun extends OpenedRun {
  /** The one stage that this process is asked for; null: all. */
  readonly only: string | null;
  readonly signal: AbortSignal;
  readonly trackers: readonly string[];
  readonly store: Store;
}

/** @throws as `openRun` */
export async function openStaged(call: CommandCall, host: Host, name: string): Promise<StagedRun> {
  const only = askedStage();
  const signal = only === null ? call.signal : whileParentLives(call.signal);
  const trackers = only === null ? trackersOf(host, call, ['console']) : [];
  const opened = await openRun(call, host, name, only === null ? {} : { isChild: true, threads: 1 });
  return { ...opened, only, signal, trackers, store: await openFolderStore(join(opened.folder, 'store')) };
}

/**
 * Plans or runs such a flow: on `onnx:cpu` stages that stand side by side in processes of one thread each, for one thread adds up in one
 * order, and two small models learn faster side by side than one on two threads.
 *
 * @param processes null: as many as there are processors, up to 4
 * @returns what the flow gave, or the exit code where that was not asked for or did not come
 */
export async function runStaged<O>(
  call: CommandCall,
  host: Host,
  { folder, say, backend, only, signal, trackers, store }: StagedRun,
  flow: Flow<null, O>,
  processes: number | null,
): Promise<{ readonly output: O } | { readonly code: number }> {
  const job: Job = { flow, input: null, host, fresh: false, store, signal };
  if (call.options['plan'] === true) {
    const plan = await inProcess.plan(job);
    call.print(call.options['json'] === true ? JSON.stringify({ type: 'plan', ...plan }) : printPlan(plan));
    return { code: 0 };
  }
  const end = await runFlow({
    call,
    host,
    job,
    folder,
    trackers,
    say,
    processes: backend.name === 'onnx:cpu' ? (processes ?? Math.min(4, availableParallelism())) : 1,
    only,
    done: ({ name, key, seconds }) => ({
      lines: [`  ${timeTaken(seconds)}`],
      json: { stage: name },
      work: forgetUnfinished(folder, key),
    }),
  });
  if (end === null) return { code: exitCodes.interrupted };
  return only === null ? { output: end.output as O } : { code: 0 };
}

/** The logs of stages that trained, by their names. */
export async function runsOf(folder: string, stages: readonly string[]): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = [];
  for (const stage of stages) {
    const path = logOf(folder, stage);
    if (await exists(path)) runs.push(await readRun(path, stage));
  }
  return runs;
}

export interface FlowRun {
  readonly call: CommandCall;
  readonly host: Host;
  readonly job: Job;
  readonly folder: string;
  readonly trackers: readonly string[];
  readonly say: (text: string) => void;
  /** Processes for stages that do not wait for each other; 1: all is done in this one. Default 1. */
  readonly processes?: number;
  /** The one stage that is to be run; null: all. Default null. */
  readonly only?: string | null;
  /** Told of each stage that is done; what it gives stands under the stage's name, or, for programs, in its line. */
  readonly done: (stage: {
    readonly name: string;
    readonly key: string;
    readonly output: unknown;
    readonly seconds: number;
  }) => {
    readonly lines: readonly string[];
    readonly json: object | null;
    readonly work?: Promise<unknown>;
  };
}

/** Names of stages may hold what folders may not. */
const folderOf = (stage: string): string => stage.replaceAll(/[^\w./-]+/g, '-');

/** The log of events of a stage. */
export const logOf = (folder: string, stage: string): string => join(folder, 'stages', folderOf(stage), 'events.jsonl');

/**
 * Whatever can run now, until one run of the flow finds everything there: stages that stand side by side in processes, others here.
 */
async function runReady(
  job: Job,
  processes: number,
  here: (part: Job) => Promise<unknown>,
  apart: Pick<ApartOptions, 'started' | 'line'>,
): Promise<void> {
  for (;;) {
    job.signal.throwIfAborted();
    const { stages } = await inProcess.plan(job);
    const ready = stages.filter(({ state }) => state === 'runs').map(({ path }) => path);
    if (ready.length === 0) return;
    if (ready.length === 1) await here({ ...job, flow: partOf(job.flow, ready[0]!) });
    else await runApart({ stages: ready, width: processes, signal: job.signal, ...apart });
  }
}

/** What a stage's process said; nothing, where it is no line of ours. */
function parseLine(text: string): Readonly<Record<string, unknown>> {
  try {
    const found = parseJson(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found) ? { ...found } : {};
  } catch {
    return {};
  }
}

const isTraining = (event: HeddleEvent): event is TrainEvent => !/^(flow|stage)\./.test(event.type);

/** @returns what the pipeline gave, or null when it was stopped, which it says */
export async function runFlow({
  call,
  host,
  job,
  folder,
  trackers,
  say,
  processes = 1,
  only = null,
  done,
}: FlowRun): Promise<{ readonly output: unknown } | null> {
  const json = call.options['json'] === true || only !== null;
  const here = new Set<string>(); // stages of this run: that they are there already is no news
  let heard = new Subject<TrainEvent>();
  let log: (event: TrainEvent) => void = () => {};
  let end: { readonly output: unknown } | null = null;
  const works: Promise<unknown>[] = [];
  const see = (event: HeddleEvent): void => {
    switch (event.type) {
      case 'stage.started': {
        here.add(event.stage);
        say(`\n${job.flow.name}: ${event.stage}`);
        log = logTo(logOf(folder, event.stage), call.note);
        heard = new Subject();
        trackWith(host, trackers, heard, folder, { name: event.stage });
        break;
      }
      case 'stage.cached':
        if (!here.has(event.stage)) say(`\n${job.flow.name}: ${event.stage} is there already`);
        here.add(event.stage);
        break;
      case 'stage.finished': {
        heard.complete();
        const { lines, json: own, work } = done({ name: event.stage, ...event });
        if (work) works.push(work);
        if (json && own) call.print(JSON.stringify({ type: 'stage', flow: job.flow.name, ...own, seconds: event.seconds })); // prettier-ignore
        for (const line of lines) say(line);
        break;
      }
      case 'flow.finished':
        end = { output: event.output };
        break;
      case 'notice':
        say(`  ${event.message}`);
        break;
      default:
        if (!isTraining(event)) break;
        log(event);
        if (event.type !== 'checkpoint.saved') heard.next(event); // gone as soon as the stage is done
        if (json) call.print(eventJson(event));
    }
  };
  /** Stages in other processes: their events go to programs, their names and times to people. */
  const apart = {
    started(stage: string): void {
      here.add(stage);
      say(`  ${stage} …`);
    },
    line(stage: string, text: string): void {
      if (json) call.print(text);
      const { type, seconds } = parseLine(text);
      if (type === 'stage' && typeof seconds === 'number') say(`  ${stage}: ${timeTaken(seconds)}`);
    },
  };
  for (const { path } of stagesOf(job.flow.steps)) await mkdir(join(folder, 'stages', folderOf(path)), { recursive: true }); // prettier-ignore
  try {
    const run = (part: Job): Promise<HeddleEvent> => lastValueFrom(inProcess.submit(part).pipe(tap(see)));
    if (only === null && processes > 1) await runReady(job, processes, run, apart);
    await run(only === null ? job : { ...job, flow: partOf(job.flow, only) });
  } catch (error) {
    heard.complete();
    if (!(error instanceof HeddleError && error.code === 'E_CANCELLED' && job.signal.aborted)) throw error;
    say(`\nStopped; what was learnt is in ${folder}. The same command goes on.`);
    return null;
  }
  await Promise.all(works);
  return end;
}
