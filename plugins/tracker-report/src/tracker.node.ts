/** The tracker `report`: the page of a run that grows while it runs. */

import { atomicWriteFile } from '@heddle/core/node';
import type { Tracker } from '@heddle/core';
import { readRun } from './log.node.js';
import { reportPage } from './page.js';
import { Recorder, joined, type RunRecord } from './record.js';

const often = 10_000; // ms between two writes

/**
 * Options: `file` (default `report.html`); `name` of the run; `log`, a file to which the same events are written, which then
 * also knows what was before a resume. A page that cannot be written ends no run.
 */
export const reportTracker: Tracker = {
  name: 'report',
  track(events, options) {
    const option = (name: string): string | null => (typeof options[name] === 'string' ? options[name] : null);
    const [file, log] = [option('file') ?? 'report.html', option('log')];
    const recorder = new Recorder(option('name') ?? 'a run');
    // Read once, when the run goes on: the log of a long run grows, and so would the time to read it.
    let before: Promise<RunRecord | null> = Promise.resolve(null);
    let from = 0;
    const known = async (): Promise<RunRecord> => joined(await before, recorder.record(), from);
    let [last, writing] = [-Infinity, Promise.resolve()];
    const write = (): void => {
      last = performance.now();
      writing = writing.then(async () => atomicWriteFile(file, reportPage([await known()]))).catch(() => {});
    };
    return events.subscribe({
      next(event) {
        recorder.see(event);
        if (event.type === 'run.started' && event.resumedFrom !== null && log !== null) {
          from = event.resumedFrom;
          before = readRun(log, recorder.record().name).catch(() => null); // a page without its past is better than none
        }
        if (event.type === 'run.finished' || event.type === 'step.failed') {
          write();
          event.waitUntil(writing);
        } else if (performance.now() - last > often) write();
      },
      error: write,
    });
  },
};
