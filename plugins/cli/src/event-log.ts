/** Events as lines of JSON: in `events.jsonl`, and on standard output with `--json`. */

import { appendFileSync } from 'node:fs';
import type { TrainEvent } from '@heddle/core';

/** Calls of an event fall away; numbers that JSON lacks are written as text: "NaN". */
export const eventJson = (event: TrainEvent): string =>
  JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'number' && !Number.isFinite(value) ? String(value) : value,
  );

/** Appends at once: a killed run keeps its log. A log that cannot be written ends nothing. */
export function logTo(path: string, complain: (text: string) => void): (event: TrainEvent) => void {
  let broken = false;
  return event => {
    if (broken) return;
    try {
      appendFileSync(path, `${eventJson(event)}\n`);
    } catch (error) {
      broken = true;
      complain(`${path}: cannot be written, the run goes on without it: ${(error as Error).message}`);
    }
  };
}
