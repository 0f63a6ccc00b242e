/** Runs a pipeline of training stages for people and programs: progress, logs, trackers, and what each stage did. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  HeddleError,
  inProcess,
  stagesOf,
  type Backend,
  type CommandCall,
  type HeddleEvent,
  type Host,
  type Job,
  type TrainEvent,
} from '@heddle/core';
import { Subject, lastValueFrom, tap } from 'rxjs';
import { engineLines, openEngine } from './engine.js';
import { eventJson, logTo } from './event-log.js';
import { exists, holdRun, moveAside } from './run-folder.js';
import { trackWith } from './trackers.js';

export interface OpenedRun {
  readonly folder: string;
  /** Prints for people; nothing where a program reads. */
  readonly say: (text: string) => void;
  readonly backend: Backend;
  /** It gets a job that ends, and has said so. */
  readonly isReference: boolean;
}

/** The folder of a run, held until the host closes, and an engine. @param name of the folder where nobody says another */
export async function openRun({ options, print, note }: CommandCall, host: Host, name: string): Promise<OpenedRun> {
  const folder = typeof options['out'] === 'string' ? options['out'] : join('.heddle', name);
  const say = (text: string): void => {
    if (options['json'] !== true) print(text);
  };
  if (options['fresh'] === true && options['plan'] !== true && (await exists(folder)))
    note(`What was there is kept in ${await moveAside(folder)}.`);
  await host.open(() => holdRun(folder)); // let go when the host closes
  const engine = await openEngine(host, typeof options['backend'] === 'string' ? options['backend'] : 'auto');
  const isReference = engine.backend.name === 'reference';
  for (const line of engineLines(engine)) say(line);
  if (isReference)
    say('  The reference engine is slow by design: the stages are the same, and too short to teach anything.');
  return { folder, say, backend: engine.backend, isReference };
}

export interface FlowRun {
  readonly call: CommandCall;
  readonly host: Host;
  readonly job: Job;
  readonly folder: string;
  readonly trackers: readonly string[];
  readonly say: (text: string) => void;
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

const isTraining = (event: HeddleEvent): event is TrainEvent => !/^(flow|stage)\./.test(event.type);

/** @returns what the pipeline gave, or null when it was stopped, which it says */
export async function runFlow({
  call,
  host,
  job,
  folder,
  trackers,
  say,
  done,
}: FlowRun): Promise<{ readonly output: unknown } | null> {
  const json = call.options['json'] === true;
  let heard = new Subject<TrainEvent>();
  let log: (event: TrainEvent) => void = () => {};
  let end: { readonly output: unknown } | null = null;
  const works: Promise<unknown>[] = [];
  const see = (event: HeddleEvent): void => {
    switch (event.type) {
      case 'stage.started': {
        say(`\n${job.flow.name}: ${event.stage}`);
        log = logTo(logOf(folder, event.stage), call.note);
        heard = new Subject();
        trackWith(host, trackers, heard, folder, { name: event.stage });
        break;
      }
      case 'stage.cached':
        say(`\n${job.flow.name}: ${event.stage} is there already`);
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
  for (const { path } of stagesOf(job.flow.steps)) await mkdir(join(folder, 'stages', folderOf(path)), { recursive: true }); // prettier-ignore
  try {
    await lastValueFrom(inProcess.submit(job).pipe(tap(see)));
  } catch (error) {
    heard.complete();
    if (!(error instanceof HeddleError && error.code === 'E_CANCELLED' && call.signal.aborted)) throw error;
    say(`\nStopped; what was learnt is in ${folder}. The same command goes on.`);
    return null;
  }
  await Promise.all(works);
  return end;
}
