/** Conflict and synergy: what a direction loses or gains by being trained with others, and whether that is more than chance. */

import { fail, uniforms } from '@heddle/core';
import type { ChainResult } from './chain.js';
import { directionOf, fewName, type DirectionName } from './strategies.js';

export interface Difference {
  /** Mean over sentences: this row less the other. Below 0 conflict, above 0 synergy. */
  readonly delta: number;
  /** Ends of a 95 % interval, by paired bootstrap over sentences. */
  readonly low: number;
  readonly high: number;
  /** Neither end on the other side of 0. */
  readonly significant: boolean;
}

/**
 * The mean difference of paired numbers with its percentile interval (Efron and Tibshirani 1993, paired as in Koehn 2004).
 *
 * @throws E_SCORES for none, or for lists of different lengths
 */
export function pairedDifference(
  own: readonly number[],
  other: readonly number[],
  { draws = 2000, seed = 0 }: { readonly draws?: number; readonly seed?: number } = {},
): Difference {
  if (own.length !== other.length || own.length === 0)
    return fail('E_SCORES', `difference: expected two lists of scores of the same sentences, received ${own.length} and ${other.length}. Score both on one test set.`, { own: own.length, other: other.length }); // prettier-ignore
  const apart = own.map((x, i) => x - other[i]!);
  const mean = apart.reduce((a, b) => a + b, 0) / apart.length;
  const draw = uniforms(seed, apart.length);
  const means = Float64Array.from({ length: draws }, () => {
    let sum = 0;
    for (let i = 0; i < apart.length; i++) sum += apart[Math.floor(draw() * apart.length)]!;
    return sum / apart.length;
  }).sort();
  const at = (share: number): number => means[Math.min(draws - 1, Math.floor(share * draws))]!;
  const [low, high] = [at(0.025), at(0.975)];
  return { delta: mean, low, high, significant: low > 0 || high < 0 };
}

export interface WaySummary {
  /** Mean of the differences of all directions of this way. */
  readonly mean: number;
  /** Directions that lose and gain beyond chance, of all. */
  readonly conflicts: number;
  readonly synergies: number;
  readonly directions: number;
}

export interface Conflicts {
  readonly directions: Readonly<Record<DirectionName, Difference>>;
  readonly ways: Readonly<Record<'into' | 'out-of', WaySummary>>;
}

interface ScoredRows {
  readonly rows: Readonly<Record<string, Pick<ChainResult['rows'][string], 'directions'>>>;
}

/** A row against another, for each number of languages that were trained together; the last has all. */
export type ConflictCurve = readonly { readonly languages: number; readonly ways: Conflicts['ways'] }[];

/**
 * What training together comes to as languages are added: `multilingual of n` rows and `multilingual` against training apart,
 * each over the directions that it has.
 */
export function conflictCurve(result: ScoredRows): ConflictCurve {
  const { rows } = result;
  if (!Object.hasOwn(rows, 'separate')) return [];
  return Object.keys(rows)
    .filter(name => name === 'multilingual' || name.startsWith(fewName('')))
    .map(name => ({
      languages: Object.keys(rows[name]!.directions).length / 2,
      ways: conflictsOf(result, name).ways,
    }))
    .toSorted((a, b) => a.languages - b.languages);
}

/**
 * A row against another, direction by direction.
 *
 * @throws E_SCORES for a row that the result has not
 */
export function conflictsOf(
  { rows }: ScoredRows,
  row: string,
  against = 'separate',
  options: { readonly draws?: number; readonly seed?: number } = {},
): Conflicts {
  const of = (name: string) =>
    rows[name]?.directions ??
    fail('E_SCORES', `conflicts: expected one of ${Object.keys(rows).join(', ')}, received '${name}'.`, { name });
  const [own, other] = [of(row), of(against)];
  const directions = Object.fromEntries(
    Object.entries(own).map(([name, { sentences }]) => [
      name,
      pairedDifference(sentences, other[name]!.sentences, options),
    ]),
  );
  const way = (wanted: 'into' | 'out-of'): WaySummary => {
    const those = Object.entries(directions).filter(([name]) => directionOf(name).way === wanted);
    return {
      mean: those.reduce((sum, [, { delta }]) => sum + delta, 0) / Math.max(1, those.length),
      conflicts: those.filter(([, { significant, delta }]) => significant && delta < 0).length,
      synergies: those.filter(([, { significant, delta }]) => significant && delta > 0).length,
      directions: those.length,
    };
  };
  return { directions, ways: { into: way('into'), 'out-of': way('out-of') } };
}
