/** How often each of several corpora is drawn: by temperature, by quotas, with a cap on repetition. */

import { fail } from '@heddle/core';

export interface Mixture {
  /**
   * Corpus i of n pairs is drawn in proportion to n^(1/temperature) (Arivazhagan et al. 2019). 1, the default: each pair once
   * an epoch. More: small corpora more often, up to equal shares. An epoch has as many pairs as there are, whatever it is.
   */
  readonly temperature?: number;
  /** Shares of all draws, in the order of the corpora; null: what is left, by temperature. Default null for all. */
  readonly quotas?: readonly (number | null)[];
  /** The most that a pair is drawn an epoch; what that takes from a corpus goes to the others. Default any number of times. */
  readonly most?: number;
}

/**
 * How often a pair of each corpus is drawn in an epoch. All draws together are as many as there are pairs; fewer only where every
 * corpus is at its cap.
 *
 * @param counts pairs of each corpus
 * @throws E_OPTION for a temperature below 1, quotas that are no shares or not as many as the corpora, a cap below 1
 */
export function drawRates(
  counts: readonly number[],
  { temperature = 1, quotas, most }: Mixture = {},
): readonly number[] {
  if (!(temperature >= 1))
    fail('E_OPTION', `temperature: expected a number of at least 1, received ${temperature}. 1 draws each pair once, 5 is usual for languages of unequal size.`, { temperature }); // prettier-ignore
  if (most !== undefined && !(most >= 1))
    fail('E_OPTION', `most: expected a number of at least 1, received ${most}. 1 draws each pair once an epoch at most.`, { most }); // prettier-ignore
  const total = counts.reduce((sum, count) => sum + count, 0);
  const given = quotas ?? counts.map(() => null);
  const taken = given.reduce<number>((sum, quota) => sum + (quota ?? 0), 0);
  const free = counts.map((count, i) => (given[i] === null && count > 0 ? (count / total) ** (1 / temperature) : 0));
  const freeAll = free.reduce((sum, weight) => sum + weight, 0);
  if (given.length !== counts.length || given.some(quota => quota !== null && !(quota >= 0 && quota <= 1)) || taken > 1 + 1e-9 || (freeAll === 0 && Math.abs(taken - 1) > 1e-9))
    fail('E_OPTION', `quotas: expected a share from 0 to 1, or null, for each of ${counts.length} corpora, together 1, or less where some are null, received ${JSON.stringify(quotas)}. Correct them.`, { quotas }); // prettier-ignore
  const empty = counts.findIndex((count, i) => count === 0 && (given[i] ?? 0) > 0);
  if (empty >= 0) fail('E_OPTION', `quotas: expected pairs in a corpus with a share, received none in number ${empty + 1}. Give it text, or no share.`, { corpus: empty }); // prettier-ignore
  if (temperature === 1 && quotas === undefined) return counts.map(() => 1);
  const shares = counts.map((_, i) => given[i] ?? (freeAll === 0 ? 0 : ((1 - taken) * free[i]!) / freeAll));
  return capped(counts, shares, total, most ?? Number.POSITIVE_INFINITY);
}

/** What a cap takes is shared out among those below theirs, in proportion, until nothing is above. */
function capped(counts: readonly number[], shares: readonly number[], total: number, most: number): readonly number[] {
  const full = new Set<number>();
  for (;;) {
    const left = total - [...full].reduce((sum, i) => sum + most * counts[i]!, 0);
    const open = shares.reduce((sum, share, i) => sum + (full.has(i) ? 0 : share), 0);
    const rates = counts.map((count, i) => (full.has(i) ? most : count === 0 || open === 0 ? 0 : (left * shares[i]!) / open / count)); // prettier-ignore
    const over = rates.flatMap((rate, i) => (!full.has(i) && rate > most ? [i] : []));
    if (over.length === 0) return rates;
    for (const i of over) full.add(i);
  }
}
