/** Runs a pipeline of training stages for people and programs: progress, logs, trackers, and what each stage did. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import {
  HeddleError,
  inProcess,
  stagesOf,
  type CommandCall,
  type HeddleEvent,
  type Host,
  type Job,
  type TrainEvent,
} from '@heddle/core';
import { Subject, lastValueFrom, tap } from 'rxjs';
import { eventJson, logTo } from './event-log.js';
import { trackWith } from './trackers.js';

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

/** @returns what the pipeline gave, or null when it was stopped */
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
    if (error instanceof HeddleError && error.code === 'E_CANCELLED' && call.signal.aborted) return null;
    throw error;
  }
  await Promise.all(works);
  return end;
}
