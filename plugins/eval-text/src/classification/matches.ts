/** Exact match and token accuracy, for tasks with one right answer. */

import { signatureOf, type CorpusMetric, type Score } from '../metric.js';
import { trim, words } from '../text/whitespace.js';

export interface MatchOptions {
  /** Default false. */
  readonly lowercase?: boolean | undefined;
}

/** Percent of segments that equal a reference, white space at the ends aside. */
export const exactMatch = ({ lowercase = false }: MatchOptions = {}): CorpusMetric =>
  shares('exact match', lowercase, (hypothesis, references) => [
    references.some(reference => trim(reference) === trim(hypothesis)) ? 1 : 0,
    1,
  ]);

/**
 * Percent of places at which the token is the reference's. Places that only one of the two has count as wrong. Of
 * several references, the one with the highest share counts.
 */
export const tokenAccuracy = ({ lowercase = false }: MatchOptions = {}): CorpusMetric =>
  shares('token accuracy', lowercase, (hypothesis, references) => {
    const own = words(hypothesis);
    let best: readonly [right: number, places: number] = [0, 0];
    let share = -1;
    for (const text of references) {
      const reference = words(text);
      const places = Math.max(own.length, reference.length);
      const right = reference.filter((token, at) => token === own[at]).length;
      if (places > 0 && right / places <= share) continue;
      share = places > 0 ? right / places : 1;
      best = [right, places];
    }
    return best;
  });

function shares(
  name: string,
  lowercase: boolean,
  count: (hypothesis: string, references: readonly string[]) => readonly [right: number, all: number],
): CorpusMetric {
  const shown = (text: string): string => (lowercase ? text.toLowerCase() : text);
  return {
    name,
    higherIsBetter: true,
    width: 2,
    references: texts => {
      const own = texts.map(shown);
      return { compare: (hypothesis, into, at) => into.set(count(shown(hypothesis), own), at) };
    },
    score: (sums): Score => ({
      name,
      score: sums[1]! > 0 ? (100 * sums[0]!) / sums[1]! : 0,
      verbose: `${sums[0]!} of ${sums[1]!}`,
    }),
    signature: facts => signatureOf(facts, { case: lowercase ? 'lc' : 'mixed' }, { like: 'heddle' }),
  };
}
