/** From a loss of each token to one number: what papers on policy optimisation differ by most quietly. */

import { full, maximum, type Tensor } from '@heddle/core';

/**
 * - `token-mean`: every token counts alike (DAPO, and Parallel-R1's code).
 * - `seq-mean-token-sum`: sums of sequences, sequences alike.
 * - `seq-mean-token-mean`: means of sequences, sequences alike (GRPO as published).
 * - `seq-sum-norm`: sums of sequences over a fixed length, sequences alike (Dr. GRPO: no bias towards short answers).
 * - `batch-sum-norm`: the same without division by the number of sequences, which verl calls seq-mean-token-sum-norm.
 */
export type Aggregation =
  | 'token-mean'
  | 'seq-mean-token-sum'
  | 'seq-mean-token-mean'
  | 'seq-sum-norm'
  | 'batch-sum-norm';

export const aggregations: readonly Aggregation[] = [
  'token-mean',
  'seq-mean-token-sum',
  'seq-mean-token-mean',
  'seq-sum-norm',
  'batch-sum-norm',
];

/** The loss is `sum / count`; both add up over parts of a batch. @shape f32[] each */
export interface Aggregated {
  readonly sum: Tensor;
  readonly count: Tensor;
}

/**
 * Sequences without a token count for nothing, on either side of the division.
 *
 * @shape each [B, T], mask [B, T] (1 for tokens that count)
 * @param length what `*-norm` divides by; T unless said
 */
export function aggregate(each: Tensor, mask: Tensor, mode: Aggregation, length = each.shape[1]!): Aggregated {
  const kept = each.mul(mask);
  const lengths = mask.sum(1);
  const sequences = lengths.greater(0).cast('f32').sum();
  const sum = kept.sum();
  if (mode === 'token-mean') return { sum, count: mask.sum() };
  if (mode === 'seq-mean-token-sum') return { sum, count: sequences };
  if (mode === 'seq-sum-norm') return { sum, count: sequences.mul(length) };
  if (mode === 'batch-sum-norm') return { sum, count: full([], length) };
  return { sum: kept.sum(1).div(maximum(lengths, 1)).sum(), count: sequences };
}

/** Mean over tokens that count; 0 where none does. @shape x, mask [B, T] -> f32[] */
export const maskedMean = (x: Tensor, mask: Tensor): Tensor => x.mul(mask).sum().div(maximum(mask.sum(), 1));
