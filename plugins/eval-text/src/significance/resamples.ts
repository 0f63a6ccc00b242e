/** Bootstrap resamples: which segments they hold, and the scores of all of them. */

import type { Statistics } from '../corpus.js';
import type { CorpusMetric } from '../metric.js';
import type { Generator } from '../random/pcg64.js';

/** How often each segment is drawn: `counts[sample * segments + segment]`, and the draws themselves in order. */
export interface Resamples {
  readonly samples: number;
  readonly segments: number;
  readonly draws: Int32Array;
}

/** As `rng.choice(segments, size=(samples, segments), replace=True)`. */
export function drawResamples(generator: Pick<Generator, 'below'>, samples: number, segments: number): Resamples {
  const draws = new Int32Array(samples * segments);
  for (let i = 0; i < draws.length; i++) draws[i] = generator.below(segments);
  return { samples, segments, draws };
}

/** Above this, float32 holds no longer every whole number. */
const exact = 2 ** 24;

/**
 * Scores of all resamples. sacreBLEU adds statistics in float32, in the order of the draws: whole numbers are exact in
 * that, so they are added here a segment at a time, as often as it was drawn; fractions (TER with several references)
 * are added one by one and rounded each time.
 */
export function resampledScores(metric: CorpusMetric, { data, width }: Statistics, resamples: Resamples): Float64Array {
  const { samples, segments, draws } = resamples;
  const scores = new Float64Array(samples);
  const sums = new Float64Array(width);
  const whole = data.every(Number.isInteger);
  const counts = new Int32Array(segments);
  for (let sample = 0; sample < samples; sample++) {
    const from = sample * segments;
    sums.fill(0);
    if (whole) {
      counts.fill(0);
      for (let i = 0; i < segments; i++) counts[draws[from + i]!]! += 1;
      for (let row = 0, at = 0; row < segments; row++) {
        const count = counts[row]!;
        if (count === 0) at += width;
        else for (let k = 0; k < width; k++) sums[k]! += count * data[at++]!;
      }
    }
    if (!whole || sums.some(sum => sum >= exact)) addSingly(sums, draws.subarray(from, from + segments), data);
    scores[sample] = metric.score(sums, true).score;
  }
  return scores;
}

function addSingly(sums: Float64Array, rows: Int32Array, data: Float64Array): void {
  sums.fill(0);
  const { length: width } = sums;
  for (const row of rows)
    for (let k = 0; k < width; k++) sums[k] = Math.fround(sums[k]! + Math.fround(data[row * width + k]!));
}

export interface Interval {
  readonly mean: number;
  /** Half of the middle 95 % of the scores. */
  readonly halfWidth: number;
}

/** As sacreBLEU estimates it: a fortieth is cut off at either end. */
export function intervalOf(scores: ArrayLike<number>): Interval {
  const sorted = Float64Array.from(scores).sort();
  const cut = Math.floor(sorted.length / 40);
  const mean = sorted.reduce((sum, score) => sum + score, 0) / sorted.length;
  return { mean, halfWidth: 0.5 * (sorted[sorted.length - 1 - cut]! - sorted[cut]!) };
}
