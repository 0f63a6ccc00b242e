/** How sure a score is: intervals and tests by resampling, the same each time. */

import type { Samples } from './metrics.js';
import { indices, mersenne } from './mersenne.js';

export interface Interval {
  readonly low: number;
  readonly high: number;
}

export interface ResamplingOptions {
  /** 0.95: the interval of 95 %. */
  readonly level?: number;
  readonly draws?: number;
  readonly seed?: number;
}

/**
 * A percentile interval by two-level bootstrap: problems are drawn with replacement, and for each its samples. So it holds
 * what another set of problems and other random numbers would change.
 */
export function interval(
  problems: readonly Samples[],
  score: (drawn: readonly Samples[]) => number,
  { level = 0.95, draws = 1000, seed = 1 }: ResamplingOptions = {},
): Interval {
  if (problems.length === 0) return { low: 0, high: 0 };
  const draw = mersenne(seed);
  const problem = indices(draw, problems.length);
  const pickers = new Map<number, () => number>();
  const values: number[] = [];
  for (let i = 0; i < draws; i++) {
    const drawn: Samples[] = [];
    for (let p = 0; p < problems.length; p++) {
      const samples = problems[problem()]!;
      let sample = pickers.get(samples.length);
      if (!sample) pickers.set(samples.length, (sample = indices(draw, samples.length)));
      drawn.push(samples.length === 1 ? samples : samples.map(() => samples[sample()]!));
    }
    values.push(score(drawn));
  }
  values.sort((a, b) => a - b);
  const at = (share: number): number =>
    values[Math.min(values.length - 1, Math.max(0, Math.round(share * (values.length - 1))))]!;
  return { low: at((1 - level) / 2), high: at((1 + level) / 2) };
}

export interface PairedTest {
  /** Problems that both runs have. */
  readonly problems: number;
  /** Mean of second minus first. */
  readonly difference: number;
  readonly interval: Interval;
  /** Chance of a difference this large, were the two runs the same: problems change sides at random. */
  readonly p: number;
  readonly better: number;
  readonly worse: number;
}

/**
 * Two runs on the same problems.
 *
 * @param first mean score by problem
 * @param second likewise; problems that only one has are left out
 */
export function pairedTest(
  first: ReadonlyMap<string, number>,
  second: ReadonlyMap<string, number>,
  { level = 0.95, draws = 10_000, seed = 1 }: ResamplingOptions = {},
): PairedTest {
  const gaps = [...first].filter(([id]) => second.has(id)).map(([id, value]) => second.get(id)! - value);
  const n = gaps.length;
  const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
  const difference = mean(gaps);
  const draw = mersenne(seed);
  const index = indices(draw, n);
  const means: number[] = [];
  let extreme = 0;
  for (let i = 0; i < draws && n > 0; i++) {
    let [resampled, flipped] = [0, 0];
    for (let j = 0; j < n; j++) {
      resampled += gaps[index()]!;
      flipped += draw() & 1 ? gaps[j]! : -gaps[j]!;
    }
    means.push(resampled / n);
    if (Math.abs(flipped / n) >= Math.abs(difference) - 1e-12) extreme++;
  }
  means.sort((a, b) => a - b);
  const at = (share: number): number => means[Math.round(share * (means.length - 1))] ?? 0;
  return {
    problems: n,
    difference,
    interval: { low: at((1 - level) / 2), high: at((1 + level) / 2) },
    // The arrangement that was seen is one of those that may be.
    p: n === 0 ? 1 : (extreme + 1) / (draws + 1),
    better: gaps.filter(gap => gap > 0).length,
    worse: gaps.filter(gap => gap < 0).length,
  };
}
