/** Means of ROUGE scores with their bootstrap interval, as rouge_score's `BootstrapAggregator`. */

import { fail } from '@heddle/core';
import { maskedBelow, twister } from '../random/mt19937.js';
import type { RougeScore } from './rouge.js';

export interface AggregateOptions {
  /** Share of resamples within the interval; default 0.95. */
  readonly confidence?: number | undefined;
  /** Resamples; default 1,000. */
  readonly samples?: number | undefined;
  /** As `numpy.random.seed(seed)` before the call; rouge_score seeds nothing, so its own runs differ. Default 12345. */
  readonly seed?: number | undefined;
}

export interface RougeAggregate {
  readonly low: RougeScore;
  readonly mid: RougeScore;
  readonly high: RougeScore;
}

const parts = ['precision', 'recall', 'f'] as const;

/**
 * Aggregates scores, type after type in the order of the keys, from one stream of draws.
 *
 * @param scores of each prediction, by type
 * @throws E_EMPTY without a score, E_CONFIG for numbers that make no sense
 */
export function aggregateRouge<T extends string>(
  scores: readonly Readonly<Record<T, RougeScore>>[],
  { confidence = 0.95, samples = 1000, seed = 12345 }: AggregateOptions = {},
): Readonly<Record<T, RougeAggregate>> {
  if (scores.length === 0)
    fail('E_EMPTY', 'aggregateRouge: expected scores, received none. Score at least one prediction.');
  if (!(confidence >= 0 && confidence <= 1))
    fail('E_CONFIG', `confidence: expected a share from 0 to 1, received ${confidence}. 0.95 is usual.`, {
      confidence,
    });
  if (!(Number.isInteger(samples) && samples >= 1 && samples <= 1e6))
    fail('E_CONFIG', `samples: expected a whole number from 1 to 1000000, received ${samples}. 1000 is usual.`, {
      samples,
    });
  if (!(Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff))
    fail('E_CONFIG', `seed: expected a whole number from 0 to 4294967295, received ${seed}. Any will do.`, { seed });
  const generator = twister(seed);
  const rest = (1 - confidence) / 2;
  return Object.fromEntries(
    (Object.keys(scores[0]!) as T[]).map(type => {
      const means = parts.map(() => new Float64Array(samples));
      const columns = parts.map(part => Float64Array.from(scores, one => one[type][part]));
      for (let sample = 0; sample < samples; sample++) {
        const sums = [0, 0, 0];
        for (let i = 0; i < scores.length; i++) {
          const row = maskedBelow(generator, scores.length);
          for (let k = 0; k < 3; k++) sums[k]! += columns[k]![row]!;
        }
        for (let k = 0; k < 3; k++) means[k]![sample] = sums[k]! / scores.length;
      }
      for (const column of means) column.sort();
      const at = (share: number): RougeScore =>
        Object.fromEntries(parts.map((part, k) => [part, quantile(means[k]!, share)])) as unknown as RougeScore;
      return [type, { low: at(rest), mid: at(0.5), high: at(1 - rest) }];
    }),
  ) as Record<T, RougeAggregate>;
}

/** Linear between neighbours, as `numpy.percentile`. */
function quantile(sorted: Float64Array, share: number): number {
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (place - below);
}
