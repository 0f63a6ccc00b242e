/**
 * The best values by trying: within bounds, with a budget, by an evaluation that may take long. Where to try next is DIRECT's
 * choice (Jones, Perttunen and Stuckman 1993): it needs no gradient and draws nothing, so the trials so far decide the next one, and a
 * list of them is all there is to resume and to reproduce.
 */

import { fail } from '@heddle/core';

export type Values = Readonly<Record<string, number>>;

export interface Trial {
  readonly values: Values;
  /** More is better. */
  readonly score: number;
}

export interface SearchOptions {
  /** Bounds by name, both ends within. The first trial is the middle of all. */
  readonly space: Readonly<Record<string, readonly [low: number, high: number]>>;
  /** Trials in all. */
  readonly budget: number;
  evaluate(values: Values, signal: AbortSignal): Promise<number> | number;
  /** Of an earlier search of the same space, in their order: they are not evaluated again. */
  readonly known?: readonly Trial[];
  /** Told of each new trial as soon as it is known: what a search that is stopped goes on from. */
  readonly onTrial?: (trial: Trial) => void;
  readonly signal?: AbortSignal;
}

export interface SearchResult {
  /** The first of the best. */
  readonly best: Trial;
  readonly trials: readonly Trial[];
}

/** Thrown through the optimiser, which cannot wait. */
const wait = Symbol('wait');

/**
 * @throws E_SEARCH for bounds or a budget that cannot be, known trials of another search, and scores that are no finite numbers;
 *   whatever `evaluate` throws
 */
export async function searchValues({
  space,
  budget,
  evaluate,
  known = [],
  onTrial,
  signal = new AbortController().signal,
}: SearchOptions): Promise<SearchResult> {
  const names = Object.keys(space);
  const refuse = (what: string, details: Record<string, unknown> = {}): never => fail('E_SEARCH', `search: ${what}`, details); // prettier-ignore
  if (names.length === 0) refuse('expected at least one value to search, received none. Name it with its bounds.');
  for (const [name, [low, high]] of Object.entries(space))
    if (!(Number.isFinite(low) && Number.isFinite(high) && low < high)) refuse(`${name}: expected a lower and a higher bound, received ${low} and ${high}. Correct them.`, { name }); // prettier-ignore
  if (!(Number.isSafeInteger(budget) && budget >= 1)) refuse(`budget: expected a whole number of trials from 1 up, received ${budget}.`, { budget }); // prettier-ignore
  const { default: direct } = await import('ml-direct');
  const ends = Object.values(space);
  const trials: Trial[] = [];

  /** Runs the optimiser over the trials so far: the point that it asks for next. */
  const next = (): Values | null => {
    let at = 0;
    let asked: Values | null = null;
    try {
      direct(
        point => {
          const values = Object.fromEntries(names.map((name, i) => [name, point[i]!]));
          const trial = trials[at++];
          if (trial) return -trial.score;
          asked = values;
          throw wait;
        },
        ends.map(([low]) => low),
        ends.map(([, high]) => high),
        { iterations: budget },
      );
    } catch (error) {
      if (error !== wait) throw error;
    }
    return asked;
  };

  while (trials.length < budget) {
    const values = next();
    if (values === null) break; // bounds so near to each other that there is nothing between
    const earlier = known[trials.length];
    if (earlier) {
      const other = names.find(name => !(Math.abs(values[name]! - (earlier.values[name] ?? Number.NaN)) <= 1e-9 * (space[name]![1] - space[name]![0]))); // prettier-ignore
      if (other !== undefined) refuse(`known trial ${trials.length}: expected ${other} of ${values[other]}, received ${String(earlier.values[other])}: it is of another search. Begin without it.`, { trial: trials.length }); // prettier-ignore
    }
    signal.throwIfAborted();
    const score = earlier ? earlier.score : await evaluate(values, signal);
    if (!Number.isFinite(score)) refuse(`trial ${trials.length}: expected a finite score, received ${score} of ${JSON.stringify(values)}.`, { values, score }); // prettier-ignore
    const trial = { values, score };
    trials.push(trial);
    if (!earlier) onTrial?.(trial);
  }
  return { best: trials.reduce((a, b) => (b.score > a.score ? b : a)), trials };
}
