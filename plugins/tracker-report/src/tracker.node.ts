/** The tracker `report`: the page of a run that grows while it runs. */

import { atomicWriteFile } from '@heddle/core/node';
import type { Tracker } from '@heddle/core';
import { readRun } from './log.node.js';
import { reportPage } from './page.js';
import { Recorder, type RunRecord } from './record.js';

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
    const known = (): Promise<RunRecord> =>
      log === null ? Promise.resolve(recorder.record()) : readRun(log, recorder.record().name);
    let [last, writing] = [-Infinity, Promise.resolve()];
    const write = (): void => {
      last = performance.now();
      writing = writing.then(async () => atomicWriteFile(file, reportPage([await known()]))).catch(() => {});
    };
    return events.subscribe({
      next(event) {
        recorder.see(event);
        if (event.type === 'run.finished' || event.type === 'step.failed') {
          write();
          event.waitUntil(writing);
        } else if (performance.now() - last > often) write();
      },
      error: write,
    });
  },
};
