/** The tracker `tensorboard`: a file of events that grows while a run does. */

import { appendFileSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Tracker } from '@heddle/core';
import { fileVersion, scalars, sessionStart, text, type LogEvent } from './event.js';
import { recordOf } from './record.js';

const seconds = (): number => Date.now() / 1000;

/** Of this process so far. */
let files = 0;

/**
 * Options: `folder` (default `tensorboard`), in which each run has a folder of its `name`. Curves: `loss`, `tokensPerSecond`,
 * metrics by their names, scores as `evaluation/NAME`; what the run is as a text.
 */
export const tensorboardTracker: Tracker = {
  name: 'tensorboard',
  track(events, options) {
    const option = (name: string, otherwise: string): string =>
      typeof options[name] === 'string' ? options[name] : otherwise;
    const folder = join(option('folder', 'tensorboard'), option('name', 'run').replaceAll(/[^\w.-]+/g, '-'));
    let file: string | null = null;
    const write = (...all: readonly LogEvent[]): void => {
      const records: Uint8Array[] = all.map(recordOf);
      if (file === null) {
        mkdirSync(folder, { recursive: true });
        // TensorBoard reads files of one run in the order of their names.
        file = join(folder, `events.out.tfevents.${Math.floor(seconds())}.${hostname()}.${process.pid}.${files++}`);
        records.unshift(recordOf(fileVersion(seconds())));
      }
      // At once: what a killed run has said is there.
      appendFileSync(file, Buffer.concat(records));
    };
    return events.subscribe(event => {
      switch (event.type) {
        case 'run.started': {
          const { run, parameters, backend, steps, resumedFrom } = event;
          if (resumedFrom !== null) write(sessionStart(seconds(), resumedFrom + 1));
          write(
            text(seconds(), resumedFrom ?? 0, 'run', `${run}: ${parameters} parameters on ${backend}, ${steps} steps`),
          );
          break;
        }
        case 'step.finished': {
          const { loss, metrics, tokens, seconds: took } = event;
          const speed: Readonly<Record<string, number>> = took > 0 ? { tokensPerSecond: tokens / took } : {};
          write(scalars(seconds(), event.step, { loss, ...metrics, ...speed }));
          break;
        }
        case 'evaluation.finished':
          write(scalars(seconds(), event.step, Object.fromEntries(Object.entries(event.scores).map(([name, score]) => [`evaluation/${name}`, score])))); // prettier-ignore
          break;
        default:
      }
    });
  },
};
