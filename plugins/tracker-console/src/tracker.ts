/** The tracker `console`: progress for people, on standard error, so that standard output stays for results. */

import type { HeddleEvent, Tracker } from '@heddle/core';
import picocolors from 'picocolors';
import { eventLine, logLine, progressLine } from './lines.js';
import { advance, noProgress, type Progress } from './progress.js';

/** What it needs of a stream; `process.stderr` has it. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
  on?(event: 'error', listener: () => void): unknown;
}

export interface ConsoleOptions {
  /** Where to write. Default standard error. */
  readonly stream?: Terminal;
  /** One line redrawn in place. Default: on a terminal, but not under CI or where TERM is dumb. */
  readonly live?: boolean;
  /** Default: NO_COLOR and FORCE_COLOR decide, else as `live`. */
  readonly colour?: boolean;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

export const consoleTracker: Tracker = {
  name: 'console',
  track: (events, options) => {
    const console = openConsole(options as ConsoleOptions); // of a wrong type, an option is as good as not given
    const subscription = events.subscribe({ next: console.see, error: console.close, complete: console.close });
    subscription.add(console.close); // unsubscribed in the middle
    return subscription;
  },
};

interface Console {
  see(this: void, event: HeddleEvent): void;
  /** Leaves the terminal as it was found. May be called again. */
  close(this: void): void;
}

/** On a terminal: redraws at most this often. */
const redrawEvery = 100;
/** In a log: a line for each tenth of the run, but none within a second of the last, and one at least each half minute. */
const tenth = 0.1;
const logAtMostEvery = 1_000;
const logAtLeastEvery = 30_000;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';
const eraseLine = '\r\u001b[2K';

/** Never throws: what cannot be shown is not shown, and the run goes on. */
export function openConsole(options: ConsoleOptions): Console {
  const { environment = globalThis.process?.env ?? {}, now = () => performance.now() } = options;
  const stream: Terminal = options.stream ?? globalThis.process?.stderr ?? { write: () => undefined };
  const live = options.live ?? (stream.isTTY === true && !set(environment.CI) && environment.TERM !== 'dumb');
  const paint = picocolors.createColors(options.colour ?? colourful(environment, live));

  surviveLoss(stream);

  let state: Progress = noProgress;
  let drawn = false; // a progress line stands at the cursor
  let closed = false;
  let lastAt = Number.NEGATIVE_INFINITY;
  let lastStep = 0;

  const write = (text: string): void => {
    try {
      stream.write(text);
    } catch {
      closed = true; // the stream is gone: nobody to tell
    }
  };

  const draw = (): void => {
    const width = Math.max(1, (stream.columns ?? 80) - 1); // the last column makes some terminals wrap
    write(`${drawn ? '' : hideCursor}${eraseLine}${progressLine(state, width, paint)}`);
    if (!drawn) globalThis.process?.once?.('exit', close); // process.exit() in the middle of a run
    drawn = true;
    lastAt = now();
  };
  const erase = (): void => {
    if (drawn) leave(`${eraseLine}${showCursor}`);
  };
  const leave = (text: string): void => {
    write(text);
    drawn = false;
    globalThis.process?.off?.('exit', close);
  };

  const log = (): void => {
    write(`${logLine(state)}\n`);
    lastAt = now();
    lastStep = state.step;
  };
  const logIsDue = (): boolean => {
    const since = now() - lastAt;
    return since >= logAtLeastEvery || (since >= logAtMostEvery && state.step - lastStep >= state.steps * tenth);
  };

  const see = (event: HeddleEvent): void => {
    if (closed) return;
    try {
      const line = eventLine(event, event.type === 'run.finished' ? advance(state, event) : state, paint);
      const begins = event.type === 'run.started';
      state = advance(state, event);
      if (begins) {
        lastStep = state.step;
        lastAt = live ? Number.NEGATIVE_INFINITY : now(); // the first step is drawn at once, but not logged
      }
      if (line !== null) {
        const goesOn = drawn && !state.ended;
        erase();
        write(`${line}\n`);
        if (goesOn) draw();
      } else if (event.type === 'step.finished') {
        if (live && (now() - lastAt >= redrawEvery || state.step >= state.steps)) draw();
        else if (!live && logIsDue()) log();
      }
    } catch {
      // An event from a newer core, or one made by hand: the next may be readable.
    }
  };

  const close = (): void => {
    if (!closed && drawn) leave(`\n${showCursor}`); // the last progress stays to be read
    closed = true;
    globalThis.process?.off?.('exit', close); // also where writing failed
  };

  return { see, close };
}

/** A pipe whose reader has gone says so by an event, later; unheard, that event would end the process and the run with it. */
function surviveLoss(stream: Terminal): void {
  if (survived.has(stream)) return;
  survived.add(stream);
  stream.on?.('error', () => undefined);
}
const survived = new WeakSet<Terminal>();

const set = (value: string | undefined): boolean =>
  value !== undefined && value !== '' && value !== '0' && value !== 'false';

/** https://no-color.org: any value but the empty one. FORCE_COLOR is stronger than a missing terminal, not than NO_COLOR. */
const colourful = ({ NO_COLOR, FORCE_COLOR }: Readonly<Record<string, string | undefined>>, live: boolean): boolean =>
  NO_COLOR !== undefined && NO_COLOR !== '' ? false : FORCE_COLOR !== undefined ? set(FORCE_COLOR) : live;
