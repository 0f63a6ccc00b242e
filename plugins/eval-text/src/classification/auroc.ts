/** Area under the receiver operating characteristic. */

import { fail } from '@heddle/core';

/**
 * The probability that a positive sample scores above a negative one; a tie counts half (Mann and Whitney 1947).
 *
 * @param scores any finite numbers, higher for positive
 * @param positive whether each sample is positive
 * @throws E_ALIGN, E_RANGE for a score that is no number, E_LABEL where one of the two classes is empty
 */
export function auroc(scores: readonly number[], positive: readonly boolean[]): number {
  if (scores.length !== positive.length)
    fail(
      'E_ALIGN',
      `auroc: expected ${positive.length} scores, one for each sample, received ${scores.length}. Align them.`,
      { expected: positive.length, received: scores.length },
    );
  const strange = scores.findIndex(score => Number.isNaN(score));
  if (strange >= 0)
    fail('E_RANGE', `auroc: expected numbers, received NaN as score ${strange + 1}. Correct or leave out the sample.`, {
      at: strange,
    });
  const positives = positive.filter(Boolean).length;
  const negatives = positive.length - positives;
  if (positives === 0 || negatives === 0)
    fail(
      'E_LABEL',
      `auroc: expected samples of both classes, received ${positives} positive and ${negatives} negative. Without both there is nothing to tell apart.`,
      { positives, negatives },
    );
  const order = scores.map((_, i) => i).sort((a, b) => scores[a]! - scores[b]!);
  let ranks = 0; // of the positive ones; ties share the mean of their ranks
  for (let from = 0; from < order.length;) {
    let to = from;
    let hits = 0;
    for (; to < order.length && scores[order[to]!] === scores[order[from]!]; to++) if (positive[order[to]!]) hits++;
    ranks += hits * ((from + 1 + to) / 2);
    from = to;
  }
  return (ranks - (positives * (positives + 1)) / 2) / (positives * negatives);
}
