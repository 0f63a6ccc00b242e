/** Leaving out pairs that teach little or harm: duplicates, lengths far apart. */

import { fail } from '@heddle/core';
import { byCount, dropCount, type Pair, type PairReading } from './pair.js';

export interface PairFilter {
  /** The longest text of either side, in characters; null for any. Default null. */
  readonly longest?: number | null;
  /** How many times as long one side may be, 15 characters added to both so that short ones pass; null for any. Default null. */
  readonly ratio?: number | null;
  /** `pair`: the same source and target once. `source`: each source once, with its most frequent target. Default `pair`. */
  readonly duplicates?: 'pair' | 'source' | 'keep';
}

/** @throws E_OPTION */
export function filterPairs(
  reading: PairReading,
  { longest = null, ratio = null, duplicates = 'pair' }: PairFilter = {},
): PairReading {
  for (const [name, value] of Object.entries({ longest, ratio }))
    if (value !== null && !(value >= 1))
      fail('E_OPTION', `${name}: expected a number of at least 1 or null, received ${value}. Correct the option.`, {
        [name]: value,
      });
  const drops = dropCount();
  const where = (at: number): string => reading.pairs[at]!.where ?? `pair ${at + 1}`;
  const fitting: { readonly pair: Pair; readonly at: number }[] = [];
  for (const [at, pair] of reading.pairs.entries()) {
    const [a, b] = [pair.source.length, pair.target.length];
    if (longest !== null && Math.max(a, b) > longest) drops.drop(`over ${longest} characters`, where(at));
    else if (ratio !== null && (Math.max(a, b) + 15) / (Math.min(a, b) + 15) > ratio)
      drops.drop('lengths far apart', where(at));
    else fitting.push({ pair, at });
  }
  const pairs: Pair[] = [];
  if (duplicates === 'keep') pairs.push(...fitting.map(({ pair }) => pair));
  else {
    const counts = new Map<string, Map<string, number>>();
    for (const { pair } of fitting) {
      const targets = counts.get(pair.source) ?? new Map<string, number>();
      counts.set(pair.source, targets.set(pair.target, (targets.get(pair.target) ?? 0) + 1));
    }
    // Of targets equally frequent the first one met.
    const best = new Map(
      [...counts].map(([source, targets]) => [source, [...targets].reduce((a, b) => (b[1] > a[1] ? b : a))[0]]),
    );
    const taken = new Set<string>();
    for (const { pair, at } of fitting) {
      const key = JSON.stringify([pair.source, pair.target]);
      if (taken.has(key)) drops.drop('duplicate', where(at));
      else if (duplicates === 'source' && best.get(pair.source) !== pair.target)
        drops.drop('another translation of the same source', where(at));
      else {
        taken.add(key);
        pairs.push(pair);
      }
    }
  }
  return { pairs, seen: reading.seen, dropped: byCount(reading.dropped, drops.take()) };
}
