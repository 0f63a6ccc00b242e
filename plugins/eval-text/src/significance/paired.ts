/** Tests of the difference between systems: paired bootstrap (Koehn 2004) and approximate randomisation (Riezler and Maxwell 2005). */

import { fail } from '@heddle/core';
import { referenceCount, statisticsOf, sumOf, type ReferenceStream, type Statistics } from '../corpus.js';
import type { CorpusMetric, Score } from '../metric.js';
import { pcg64 } from '../random/pcg64.js';
import { drawResamples, intervalOf, resampledScores, type Interval, type Resamples } from './resamples.js';

export type PairedTest = 'bootstrap' | 'randomisation';

export interface PairedOptions {
  /** Default `bootstrap`. */
  readonly test?: PairedTest | undefined;
  /** Resamples (1,000 unless said) or trials (10,000 unless said). */
  readonly samples?: number | undefined;
  /** Default 12345, as sacreBLEU's `SACREBLEU_SEED`. */
  readonly seed?: number | undefined;
  /** With `randomisation`: resamples for intervals; 0, the default, for none. */
  readonly intervals?: number | undefined;
}

export interface System {
  readonly name: string;
  readonly hypotheses: readonly string[];
}

export interface PairedResult {
  readonly system: string;
  readonly score: Score;
  /** Of the difference from the baseline; null for the baseline itself. */
  readonly p: number | null;
  /** Of the score by bootstrap, where it was asked for. */
  readonly interval: Interval | null;
}

export interface PairedTable {
  readonly metric: string;
  readonly higherIsBetter: boolean;
  readonly signature: string;
  /** The baseline first, then the others as they came. */
  readonly results: readonly PairedResult[];
}

export const usualSeed = 12345;
const usualSamples: Readonly<Record<PairedTest, number>> = { bootstrap: 1000, randomisation: 10_000 };

/**
 * Compares systems with the first of them, for each metric. Draws equal sacreBLEU's for the same seed, so p-values do.
 *
 * @param systems the baseline first
 * @throws E_CONFIG for fewer than two systems, or numbers that make no sense
 */
export function pairedTest(
  metrics: readonly CorpusMetric[],
  systems: readonly System[],
  references: readonly ReferenceStream[],
  options: PairedOptions = {},
): readonly PairedTable[] {
  const count = referenceCount(references);
  const names = systems.map(({ name }) => name);
  const tester = pairedTester(names, references[0]?.length ?? 0, options);
  return metrics.map(metric => {
    const statistics = statisticsOf(
      metric,
      systems.map(({ hypotheses }) => hypotheses),
      references,
    );
    return tester(metric, statistics, count);
  });
}

/**
 * The same from statistics that are already there: draws once, for any number of metrics.
 *
 * @param segments of every system
 * @returns compares systems by one metric
 * @throws E_CONFIG
 */
export function pairedTester(
  names: readonly string[],
  segments: number,
  { test = 'bootstrap', samples = usualSamples[test], seed = usualSeed, intervals = 0 }: PairedOptions = {},
): (metric: CorpusMetric, statistics: readonly Statistics[], references: number | 'var') => PairedTable {
  for (const [name, value, least] of [
    ['samples', samples, 1],
    ['intervals', intervals, 0],
  ] as const)
    if (!(Number.isInteger(value) && value >= least && value <= 1e6))
      fail(
        'E_CONFIG',
        `${name}: expected a whole number from ${least} to 1000000, received ${value}. ${usualSamples[test]} is usual.`,
        { [name]: value },
      );
  if (names.length < 2)
    fail(
      'E_CONFIG',
      `paired test: expected a baseline and a system to compare with it, received ${names.length}. Give two or more.`,
      { systems: names.length },
    );
  const draws = drawsOf(test, seed, samples, intervals, segments);
  return (metric, statistics, references) => ({
    metric: metric.name,
    higherIsBetter: metric.higherIsBetter,
    signature: metric.signature({
      references,
      bootstrap: test === 'bootstrap' ? samples : intervals > 0 ? intervals : undefined,
      randomisations: test === 'randomisation' ? samples : undefined,
      seed,
    }),
    results: compared(metric, names, statistics, draws),
  });
}

interface Draws {
  /** For each trial, which segments the two systems swap; null for the bootstrap. */
  readonly coins: Uint8Array | null;
  readonly samples: number;
  /** For the baseline's interval, and for the others'. */
  readonly baseline: Resamples | null;
  readonly others: Resamples | null;
}

/**
 * Every system is tested with the same draws, as in sacreBLEU, which seeds anew for each. The baseline's interval comes
 * from a generator of its own: with `randomisation` the others' draws stand behind the coins.
 */
function drawsOf(test: PairedTest, seed: number, samples: number, intervals: number, segments: number): Draws {
  if (test === 'bootstrap') {
    const resamples = drawResamples(pcg64(seed), samples, segments);
    return { coins: null, samples, baseline: resamples, others: resamples };
  }
  const generator = pcg64(seed);
  const coins = generator.coins(samples * segments);
  if (intervals === 0) return { coins, samples, baseline: null, others: null };
  return {
    coins,
    samples,
    baseline: drawResamples(pcg64(seed), intervals, segments),
    others: drawResamples(generator, intervals, segments),
  };
}

function compared(
  metric: CorpusMetric,
  names: readonly string[],
  statistics: readonly Statistics[],
  { coins, samples, baseline, others }: Draws,
): readonly PairedResult[] {
  const [base, ...rest] = statistics as [Statistics, ...Statistics[]];
  const baseScore = metric.score(sumOf(base));
  const baseScores = baseline === null ? null : resampledScores(metric, base, baseline);
  return [
    { system: names[0]!, score: baseScore, p: null, interval: baseScores && intervalOf(baseScores) },
    ...rest.map((one, i): PairedResult => {
      const score = metric.score(sumOf(one));
      const scores = others === null ? null : resampledScores(metric, one, others);
      const difference = Math.abs(baseScore.score - score.score);
      const spread =
        coins === null ? centred(baseScores!, scores!) : shuffledDifferences(metric, base, one, coins, samples);
      return { system: names[i + 1]!, score, p: tail(spread, difference), interval: scores && intervalOf(scores) };
    }),
  ];
}

/** Differences of resampled scores, less their mean. */
function centred(left: Float64Array, right: Float64Array): Float64Array {
  const differences = left.map((score, i) => Math.abs(right[i]! - score));
  const mean = differences.reduce((sum, x) => sum + x, 0) / differences.length;
  return differences.map(x => x - mean);
}

/** For each trial, the difference of two pseudo-systems that swapped some of their segments. */
function shuffledDifferences(
  metric: CorpusMetric,
  left: Statistics,
  right: Statistics,
  coins: Uint8Array,
  samples: number,
): Float64Array {
  const { width, segments } = left;
  const both = sumOf(left).map((sum, k) => sum + sumOf(right)[k]!);
  const gap = left.data.map((value, i) => value - right.data[i]!);
  const base = sumOf(right);
  const [one, other] = [new Float64Array(width), new Float64Array(width)];
  return Float64Array.from({ length: samples }, (_, trial) => {
    one.set(base);
    // Heads: the first pseudo-system takes this segment from the left.
    for (let row = 0, at = 0, coin = trial * segments; row < segments; row++, coin++) {
      if (coins[coin] === 0) at += width;
      else for (let k = 0; k < width; k++) one[k]! += gap[at++]!;
    }
    for (let k = 0; k < width; k++) other[k] = both[k]! - one[k]!;
    return Math.abs(metric.score(one).score - metric.score(other).score);
  });
}

/** The share of trials beyond what was seen; the trial that was seen counts as one of them. */
function tail(spread: Float64Array, difference: number): number {
  const beyond = spread.reduce((count, x) => count + (x > difference ? 1 : 0), 0);
  return (beyond + 1) / (spread.length + 1);
}

/** Bootstrap of one system: its score, with mean and interval. */
export function bootstrap(
  metric: CorpusMetric,
  statistics: Statistics,
  { samples = usualSamples.bootstrap, seed = usualSeed }: Pick<PairedOptions, 'samples' | 'seed'> = {},
): { readonly score: Score; readonly interval: Interval } {
  const resamples = drawResamples(pcg64(seed), samples, statistics.segments);
  return {
    score: metric.score(sumOf(statistics)),
    interval: intervalOf(resampledScores(metric, statistics, resamples)),
  };
}
