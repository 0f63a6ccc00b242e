/**
 * The same target out of several corpora: one text in many languages is, into English, one target learnt again and again.
 */

import { fail } from '@heddle/core';
import { fingerprint } from '../hash.js';
import type { Pair } from './pair.js';

export interface CappedTargets {
  readonly corpora: readonly (readonly Pair[])[];
  /** Pairs left out. */
  readonly dropped: number;
}

/** Share of the pairs whose target stands in another corpus too. */
export function repeatedTargets(corpora: readonly (readonly Pair[])[]): number {
  const inCorpora = new Map<string, Set<number>>();
  for (const [i, pairs] of corpora.entries())
    for (const { target } of pairs) inCorpora.set(target, (inCorpora.get(target) ?? new Set()).add(i));
  const all = corpora.reduce((sum, { length }) => sum + length, 0);
  const repeated = corpora.reduce((sum, pairs) => sum + pairs.filter(({ target }) => inCorpora.get(target)!.size > 1).length, 0); // prettier-ignore
  return all === 0 ? 0 : repeated / all;
}

/**
 * Each target in this many corpora at most. Which ones keep it depends on its words and the seed alone, and is spread evenly over
 * the corpora.
 *
 * @throws E_OPTION for a cap below 1
 */
export function capTargets(corpora: readonly (readonly Pair[])[], most: number, seed = 0): CappedTargets {
  if (!(Number.isSafeInteger(most) && most >= 1))
    fail('E_OPTION', `cap of targets: expected a whole number from 1 up, received ${most}. Correct it.`, { most });
  const inCorpora = new Map<string, number[]>();
  for (const [i, pairs] of corpora.entries())
    for (const target of new Set(pairs.map(pair => pair.target)))
      inCorpora.set(target, [...(inCorpora.get(target) ?? []), i]);
  const keeps = (target: string, corpus: number): boolean => {
    const all = inCorpora.get(target)!;
    if (all.length <= most) return true;
    const first = Number.parseInt(fingerprint(target, seed).slice(0, 8), 16) % all.length;
    return (all.indexOf(corpus) - first + all.length) % all.length < most;
  };
  const kept = corpora.map((pairs, i) => pairs.filter(({ target }) => keeps(target, i)));
  const count = (all: readonly (readonly Pair[])[]): number => all.reduce((sum, { length }) => sum + length, 0);
  return { corpora: kept, dropped: count(corpora) - count(kept) };
}
