/** What a run said, as data: folded from its events, live or out of a log. */

import type { HeddleEvent, Metrics } from '@heddle/core';

export interface Point {
  readonly step: number;
  readonly loss: number;
  readonly metrics: Metrics;
  readonly tokens: number;
  readonly seconds: number;
}

export interface RunRecord {
  readonly name: string;
  readonly backend: string | null;
  readonly parameters: number | null;
  /** Steps that were planned. */
  readonly steps: number | null;
  readonly points: readonly Point[];
  readonly scores: readonly { readonly step: number; readonly scores: Metrics }[];
  /** Reason of the end, or what failed; null while it runs, or where it was killed. */
  readonly end: string | null;
}

/** Gathers one run. Points are kept in one array, so that a long run costs no copies. */
export class Recorder {
  #record: { -readonly [K in keyof Omit<RunRecord, 'points' | 'scores'>]: RunRecord[K] };
  #points: Point[] = [];
  #scores: RunRecord['scores'][number][] = [];

  constructor(name: string) {
    this.#record = { name, backend: null, parameters: null, steps: null, end: null };
  }

  see(event: HeddleEvent): void {
    switch (event.type) {
      case 'run.started': {
        const { backend, parameters, steps, resumedFrom } = event;
        // What a killed run did after its last checkpoint is done again.
        const from = resumedFrom ?? 0;
        this.#points = this.#points.filter(({ step }) => step <= from);
        this.#scores = this.#scores.filter(({ step }) => step <= from);
        this.#record = { ...this.#record, backend, parameters, steps, end: null };
        break;
      }
      case 'step.finished': {
        const { step, loss, metrics, tokens, seconds } = event;
        this.#points.push({ step, loss, metrics, tokens, seconds });
        break;
      }
      case 'evaluation.finished':
        this.#scores.push({ step: event.step, scores: event.scores });
        break;
      case 'step.failed':
        this.#record.end = `failed at step ${event.step}: ${event.path} is not finite`;
        break;
      case 'run.finished':
        this.#record.end = event.reason;
        break;
    }
  }

  record(): RunRecord {
    return { ...this.#record, points: this.#points, scores: this.#scores };
  }
}

/** A run that went on after step `from`, with what stood in its log before. */
export function joined(before: RunRecord | null, own: RunRecord, from: number): RunRecord {
  if (before === null) return own;
  const until = <T extends { readonly step: number }>(all: readonly T[]): readonly T[] =>
    all.filter(({ step }) => step <= from);
  return {
    ...own,
    points: [...until(before.points), ...own.points],
    scores: [...until(before.scores), ...own.scores],
  };
}

/** A curve by name: `loss`, a metric, a score, `tokens/s`. */
export interface Curve {
  readonly name: string;
  readonly at: readonly (readonly [step: number, value: number])[];
  /** Few and exact, such as scores; others are many and noisy. */
  readonly exact: boolean;
}

export function curvesOf({ points, scores }: RunRecord): readonly Curve[] {
  const noisy = new Map<string, [number, number][]>([['loss', []]]);
  const exact = new Map<string, [number, number][]>();
  const add = (curves: Map<string, [number, number][]>, name: string, step: number, value: number): void => {
    if (!Number.isFinite(value)) return;
    const known = curves.get(name);
    if (known) known.push([step, value]);
    else curves.set(name, [[step, value]]);
  };
  for (const { step, loss, metrics, tokens, seconds } of points) {
    add(noisy, 'loss', step, loss);
    for (const [name, value] of Object.entries(metrics)) add(noisy, name, step, value);
    if (seconds > 0) add(noisy, 'tokens/s', step, tokens / seconds);
  }
  for (const { step, scores: all } of scores)
    for (const [name, value] of Object.entries(all)) add(exact, name, step, value);
  return [
    ...[...noisy].map(([name, at]) => ({ name, at, exact: false })),
    ...[...exact].map(([name, at]) => ({ name, at, exact: true })),
  ].filter(({ at }) => at.length > 0);
}
