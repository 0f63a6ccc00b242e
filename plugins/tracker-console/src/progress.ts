/** What is known of a run, from its events alone. Pure: the same events give the same state. */

import type { HeddleEvent } from '@heddle/core';
import { emptyCurve, extend, type Curve } from './curve.js';

export interface Progress {
  /** Name of the run, once it began. */
  readonly run: string | null;
  readonly step: number;
  readonly steps: number;
  /** Last loss as it came: may be NaN. */
  readonly last: number | null;
  /** Exponential mean of the loss, corrected for its start. */
  readonly loss: number | null;
  /** Of late. */
  readonly tokensPerSecond: number | null;
  readonly secondsPerStep: number | null;
  /** Sum over steps; a pause between runs does not count. */
  readonly seconds: number;
  readonly tokens: number;
  readonly curve: Curve;
  readonly ended: boolean;
  /** Stages of a pipeline: how many there are, the running one, how many are done. */
  readonly stages: { readonly all: readonly string[]; readonly done: number; readonly running: string | null };
  readonly sums: Sums;
}

/** Sums that fade by `keep` each step; dividing two of them gives a mean of late. */
interface Sums {
  readonly weight: number;
  readonly loss: number;
  readonly steps: number;
  readonly tokens: number;
  readonly seconds: number;
}

/** About the last 20 steps count. */
const keep = 0.95;

const noSums: Sums = { weight: 0, loss: 0, steps: 0, tokens: 0, seconds: 0 };

export const noProgress: Progress = {
  run: null,
  step: 0,
  steps: 0,
  last: null,
  loss: null,
  tokensPerSecond: null,
  secondsPerStep: null,
  seconds: 0,
  tokens: 0,
  curve: emptyCurve,
  ended: false,
  stages: { all: [], done: 0, running: null },
  sums: noSums,
};

export function advance(state: Progress, event: HeddleEvent): Progress {
  switch (event.type) {
    case 'run.started':
      return { ...noProgress, run: event.run, step: event.resumedFrom ?? 0, steps: event.steps, stages: state.stages };
    case 'step.finished':
      return afterStep(state, event);
    case 'run.finished':
      return { ...state, step: event.step, ended: true };
    case 'flow.started':
      return { ...state, stages: { all: event.stages, done: 0, running: null } };
    case 'stage.started':
      return { ...noProgress, stages: { ...state.stages, running: event.stage } };
    case 'stage.cached':
    case 'stage.finished':
      return { ...state, ended: true, stages: { ...state.stages, done: state.stages.done + 1, running: null } };
    default:
      return state;
  }
}

function afterStep(
  state: Progress,
  { step, steps, loss, tokens, seconds }: Extract<HeddleEvent, { type: 'step.finished' }>,
): Progress {
  const finite = Number.isFinite(loss); // one NaN must not make every later mean NaN
  const sums: Sums = {
    weight: state.sums.weight * keep + (finite ? 1 : 0),
    loss: state.sums.loss * keep + (finite ? loss : 0),
    steps: state.sums.steps * keep + 1,
    tokens: state.sums.tokens * keep + tokens,
    seconds: state.sums.seconds * keep + seconds,
  };
  return {
    ...state,
    step,
    steps,
    last: loss,
    loss: sums.weight > 0 ? sums.loss / sums.weight : null,
    tokensPerSecond: sums.seconds > 0 ? sums.tokens / sums.seconds : null,
    secondsPerStep: sums.seconds / sums.steps,
    seconds: state.seconds + seconds,
    tokens: state.tokens + tokens,
    curve: extend(state.curve, loss),
    ended: false,
    sums,
  };
}

/** Seconds to the last step, at the pace of late; null before the first step. */
export const timeLeft = ({ step, steps, secondsPerStep }: Progress): number | null =>
  secondsPerStep === null || steps <= 0 ? null : Math.max(0, steps - step) * secondsPerStep;
