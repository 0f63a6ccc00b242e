/** Bootstrap resamples: which segments they hold, and the scores of all of them. */

import type { Statistics } from '../corpus.js';
import type { CorpusMetric } from '../metric.js';
import type { Generator } from '../random/pcg64.js';

export interface Resamples {
  readonly samples: number;
  readonly segments: number;
  /** Segments in the order that they were drawn, sample after sample. */
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
 * Scores of all resamples. sacreBLEU adds statistics in float32, in the order of the draws. Whole numbers are exact in
 * that, in whatever way they are added; fractions (TER with several references) are rounded at each addition.
 */
export function resampledScores(
  metric: CorpusMetric,
  statistics: Statistics,
  { samples, segments, draws }: Resamples,
): Float64Array {
  const { data, width } = statistics;
  const { single = false } = metric;
  const columns = single && !data.every(Number.isInteger) ? null : packed(statistics);
  const sums = new Float64Array(width);
  return Float64Array.from({ length: samples }, (_, sample) => {
    const rows = draws.subarray(sample * segments, (sample + 1) * segments);
    if (columns !== null) addPacked(columns, rows, sums);
    if (columns === null || (single && sums.some(sum => sum >= exact))) addSingly(data, rows, sums);
    return metric.score(sums, single).score;
  });
}

/** Columns of statistics, several in one where their sums fit: as digits of a number, the first of them lowest. */
interface Packed {
  readonly columns: readonly Float64Array[];
  readonly digits: number;
  readonly base: number;
}

/** A double holds whole numbers below 2^53: the sums of three statistics of a thousand sentences, or of four. */
function packed({ data, width, segments }: Statistics): Packed {
  const most = data.reduce((so, value) => Math.max(so, Number.isInteger(value) && value >= 0 ? value : Infinity), 1);
  const bits = Math.ceil(Math.log2(most * segments + 1));
  const digits = Math.max(1, Math.floor(53 / bits));
  const base = 2 ** Math.min(bits, 53);
  const columns = Array.from({ length: Math.ceil(width / digits) }, (_, c) =>
    Float64Array.from({ length: segments }, (_, row) => {
      let number = 0;
      for (let k = Math.min(width, (c + 1) * digits) - 1; k >= c * digits; k--)
        number = (digits > 1 ? number * base : 0) + data[row * width + k]!;
      return number;
    }),
  );
  return { columns, digits, base };
}

/** Four columns at a time, so that their sums stay in registers: this is where a bootstrap spends its time. */
function addPacked({ columns, digits, base }: Packed, rows: Int32Array, sums: Float64Array): void {
  const unpack = (column: number, number: number): void => {
    const from = column * digits;
    for (let k = from, to = Math.min(from + digits, sums.length); k < to; k++) {
      const rest = digits > 1 ? Math.floor(number / base) : 0;
      sums[k] = number - rest * base;
      number = rest;
    }
  };
  let c = 0;
  for (; c + 4 <= columns.length; c += 4) {
    const [first, second] = [columns[c]!, columns[c + 1]!];
    const [third, fourth] = [columns[c + 2]!, columns[c + 3]!];
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    let sum4 = 0;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]!;
      sum1 += first[row]!;
      sum2 += second[row]!;
      sum3 += third[row]!;
      sum4 += fourth[row]!;
    }
    unpack(c, sum1);
    unpack(c + 1, sum2);
    unpack(c + 2, sum3);
    unpack(c + 3, sum4);
  }
  for (; c < columns.length; c++) {
    const column = columns[c]!;
    let sum = 0;
    for (let i = 0; i < rows.length; i++) sum += column[rows[i]!]!;
    unpack(c, sum);
  }
}

function addSingly(data: Float64Array, rows: Int32Array, sums: Float64Array): void {
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
