/** Bootstrap resamples: which segments they hold, and the scores of all of them. */

import type { Statistics } from '../corpus.js';
import type { CorpusMetric } from '../metric.js';
import type { Generator } from '../random/pcg64.js';

export interface Resamples {
  readonly samples: number;
  readonly segments: number;
  /** Segments in the order that they were drawn, sample after sample. */
  readonly draws: Int32Array;
  /** The segments of each sample once, from `ends[sample - 1]` to `ends[sample]`, and how often each was drawn. */
  readonly rows: Int32Array;
  readonly times: Float64Array;
  readonly ends: Int32Array;
}

/** Resamples from draws that are already there. */
export function resamplesOf(draws: Int32Array, samples: number, segments: number): Resamples {
  const [rows, times] = [new Int32Array(draws.length), new Float64Array(draws.length)];
  const ends = new Int32Array(samples);
  const counts = new Int32Array(segments);
  let used = 0;
  for (let sample = 0, at = 0; sample < samples; sample++) {
    counts.fill(0);
    for (let i = 0; i < segments; i++) counts[draws[at++]!]! += 1;
    for (let row = 0; row < segments; row++) {
      if (counts[row] === 0) continue;
      rows[used] = row;
      times[used++] = counts[row]!;
    }
    ends[sample] = used;
  }
  return { samples, segments, draws, rows: rows.subarray(0, used), times: times.subarray(0, used), ends };
}

/** As `rng.choice(segments, size=(samples, segments), replace=True)`. */
export function drawResamples(generator: Pick<Generator, 'below'>, samples: number, segments: number): Resamples {
  const draws = new Int32Array(samples * segments);
  for (let i = 0; i < draws.length; i++) draws[i] = generator.below(segments);
  return resamplesOf(draws, samples, segments);
}

/** Above this, float32 holds no longer every whole number. */
const exact = 2 ** 24;

/**
 * Scores of all resamples. sacreBLEU adds statistics in float32, in the order of the draws: whole numbers are exact in
 * that, so they are added here a segment at a time, as often as it was drawn; fractions (TER with several references)
 * are added one by one and rounded each time.
 */
export function resampledScores(metric: CorpusMetric, { data, width }: Statistics, resamples: Resamples): Float64Array {
  const { samples, segments, draws, ends } = resamples;
  const scores = new Float64Array(samples);
  const sums = new Float64Array(width);
  const { single = false } = metric;
  const summed = !single || data.every(Number.isInteger);
  const columns = Array.from({ length: width }, (_, k) => {
    const column = new Float64Array(segments);
    for (let row = 0; row < segments; row++) column[row] = data[row * width + k]!;
    return column;
  });
  for (let sample = 0; sample < samples; sample++) {
    const from = sample * segments;
    if (summed) weightedSums(columns, resamples, sample === 0 ? 0 : ends[sample - 1]!, ends[sample]!, sums);
    if (single && (!summed || sums.some(sum => sum >= exact)))
      addSingly(sums, draws.subarray(from, from + segments), data);
    scores[sample] = metric.score(sums, single).score;
  }
  return scores;
}

/** Six columns at a time, so that their sums stay in registers: this is where a bootstrap spends its time. */
function weightedSums(
  columns: readonly Float64Array[],
  { rows, times }: Resamples,
  from: number,
  to: number,
  sums: Float64Array,
): void {
  let k = 0;
  for (; k + 6 <= columns.length; k += 6) {
    const [a, b, c] = [columns[k]!, columns[k + 1]!, columns[k + 2]!];
    const [d, e, f] = [columns[k + 3]!, columns[k + 4]!, columns[k + 5]!];
    let sumA = 0;
    let sumB = 0;
    let sumC = 0;
    let sumD = 0;
    let sumE = 0;
    let sumF = 0;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const weight = times[i]!;
      sumA += weight * a[row]!;
      sumB += weight * b[row]!;
      sumC += weight * c[row]!;
      sumD += weight * d[row]!;
      sumE += weight * e[row]!;
      sumF += weight * f[row]!;
    }
    sums[k] = sumA;
    sums[k + 1] = sumB;
    sums[k + 2] = sumC;
    sums[k + 3] = sumD;
    sums[k + 4] = sumE;
    sums[k + 5] = sumF;
  }
  for (; k + 2 <= columns.length; k += 2) {
    const [a, b] = [columns[k]!, columns[k + 1]!];
    let sumA = 0;
    let sumB = 0;
    for (let i = from; i < to; i++) {
      const row = rows[i]!;
      const weight = times[i]!;
      sumA += weight * a[row]!;
      sumB += weight * b[row]!;
    }
    sums[k] = sumA;
    sums[k + 1] = sumB;
  }
  for (; k < columns.length; k++) {
    const column = columns[k]!;
    let sum = 0;
    for (let i = from; i < to; i++) sum += times[i]! * column[rows[i]!]!;
    sums[k] = sum;
  }
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
