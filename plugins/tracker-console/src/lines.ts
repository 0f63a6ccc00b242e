/** Progress and events as lines of text. Pure. */

import type { HeddleEvent } from '@heddle/core';
import { sparkline } from './curve.js';
import { count, duration, figure, oneLine, percent } from './format.js';
import { timeLeft, type Progress } from './progress.js';

/** What to paint with; picocolors has these, and others by the same names. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
  cyan(text: string): string;
  yellow(text: string): string;
  red(text: string): string;
}

/** For files and pipes. */
export const plain: Paint = Object.fromEntries(
  ['bold', 'dim', 'green', 'cyan', 'yellow', 'red'].map(name => [name, (text: string) => text]),
) as unknown as Paint; // every name of Paint is listed

/**
 * The line that is redrawn: bar, step, loss, curve, pace, time. Where the terminal is narrow, the least important
 * parts go first, so that the line never wraps: a wrapped line cannot be redrawn in place.
 *
 * @param width columns that it may take
 */
export function progressLine(state: Progress, width: number, paint: Paint): string {
  const left = timeLeft(state);
  const step = `${state.step}/${state.steps}`;
  const curve = sparkline(state.curve, 16);
  const finite = state.last === null || Number.isFinite(state.last);
  const parts: readonly Part[] = [
    { text: state.stages.running === null ? '' : oneLine(state.stages.running), paint: paint.bold, worth: 2 },
    { text: bar(state.step, state.steps, 20), paint: paint.cyan, worth: 3 },
    { text: step, paint: paint.bold, worth: 9 },
    { text: state.loss === null ? '' : `loss ${figure(state.loss)}`, paint: paint.green, worth: 8 },
    { text: finite ? '' : `now ${state.last}`, paint: paint.red, worth: 7 },
    { text: curve, paint: paint.green, worth: 1 },
    { text: state.tokensPerSecond === null ? '' : `${count(state.tokensPerSecond)} tok/s`, paint: same, worth: 5 },
    { text: state.seconds > 0 ? duration(state.seconds) : '', paint: paint.dim, worth: 4 },
    { text: left === null ? '' : `${duration(left)} left`, paint: same, worth: 6 },
  ];
  const kept = fit(
    parts.filter(part => part.text !== ''),
    width,
  );
  return kept.map(part => part.paint(part.text)).join(gap);
}

interface Part {
  readonly text: string;
  readonly paint: (text: string) => string;
  /** The lowest goes first. */
  readonly worth: number;
}

const gap = '  ';
const same = (text: string): string => text;

function fit(parts: readonly Part[], width: number): readonly Part[] {
  const length = parts.reduce((sum, { text }) => sum + columns(text) + gap.length, -gap.length);
  if (length <= width || parts.length === 0) return parts;
  const least = Math.min(...parts.map(part => part.worth));
  return fit(
    parts.filter(part => part.worth !== least),
    width,
  );
}

/** Stage names may hold wide characters: two columns for anything beyond Latin, Greek, Cyrillic and our bars. */
const columns = (text: string): number =>
  [...text].reduce((sum, letter) => sum + (letter < '\u1100' || (letter >= '\u2500' && letter <= '\u259f') ? 1 : 2), 0);

function bar(part: number, whole: number, width: number): string {
  const filled = whole > 0 ? Math.round((Math.min(part, whole) / whole) * width) : 0;
  return '━'.repeat(filled) + '─'.repeat(width - filled);
}

/** The same for a log: one plain line, complete, for `grep`. */
export function logLine(state: Progress): string {
  const left = timeLeft(state);
  const stage = state.stages.running === null ? '' : `${oneLine(state.stages.running)} `;
  const loss = state.loss === null ? '' : ` loss ${figure(state.loss)}`;
  const now = state.last !== null && !Number.isFinite(state.last) ? ` now ${state.last}` : '';
  const pace = state.tokensPerSecond === null ? '' : ` ${count(state.tokensPerSecond)} tok/s`;
  const time = `${duration(state.seconds)} elapsed${left === null ? '' : `, ${duration(left)} left`}`;
  return `${stage}step ${state.step}/${state.steps} (${percent(state.step, state.steps)})${loss}${now}${pace} ${time}`;
}

/** The line that an event leaves behind, above the progress; null for those that leave none. */
export function eventLine(event: HeddleEvent, state: Progress, paint: Paint): string | null {
  switch (event.type) {
    case 'run.started': {
      const resumed = event.resumedFrom === null ? '' : `, resumed from step ${event.resumedFrom}`;
      const compiled = event.compileMs >= 1 ? `, ready in ${duration(event.compileMs / 1000)}` : '';
      return `${paint.bold(oneLine(event.run))}  ${count(event.parameters)} parameters on ${oneLine(event.backend)}, ${event.steps} steps${resumed}${compiled}`;
    }
    case 'step.failed':
      return `${paint.red('failed')} at step ${event.step}: loss ${event.loss}, first wrong in ${oneLine(event.path)}`;
    case 'checkpoint.saved':
      return paint.dim(`saved step ${event.step} to ${oneLine(event.uri)}`);
    case 'evaluation.finished': {
      const scores = Object.entries(event.scores).map(([name, score]) => `${oneLine(name)} ${figure(score)}`);
      return `${paint.cyan('evaluated')} step ${event.step}: ${scores.join(', ') || 'no scores'}`;
    }
    case 'notice':
      return `${paint.yellow(oneLine(event.code))} ${oneLine(event.message)}`;
    case 'run.finished': {
      const reason = {
        steps: paint.green('done'),
        stopped: paint.green('stopped as asked'),
        cancelled: paint.yellow('cancelled'),
      }[event.reason];
      const loss = state.loss === null ? '' : `, loss ${figure(state.loss)}`;
      const pace = state.seconds > 0 ? `, ${count(state.tokens / state.seconds)} tok/s` : '';
      return `${reason} at step ${event.step}/${state.steps} in ${duration(state.seconds)}${loss}, ${count(state.tokens)} tokens${pace}`;
    }
    case 'flow.started':
      return `${paint.bold(oneLine(event.flow))}  ${event.stages.map(oneLine).join(' → ')}`;
    case 'stage.started':
      return `${paint.cyan('▸')} ${oneLine(event.stage)} ${paint.dim(`(${state.stages.done + 1}/${state.stages.all.length})`)}`;
    case 'stage.cached':
      return `${paint.green('✓')} ${oneLine(event.stage)} ${paint.dim('kept from before')}`;
    case 'stage.finished':
      return `${paint.green('✓')} ${oneLine(event.stage)} ${paint.dim(`in ${duration(event.seconds)}`)}`;
    case 'flow.finished':
      return paint.green(`${oneLine(event.flow)} done`);
    default:
      return null;
  }
}
