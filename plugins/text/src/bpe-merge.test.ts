import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWordBy } from './bpe-merge.js';
import { pairTable } from './pairs.js';

type Merge = readonly [left: number, right: number, result: number];

/** The definition: find the best pair, merge its first occurrence, look again. */
function slowly(merges: readonly Merge[], word: readonly number[]): number[] {
  const symbols = [...word];
  for (;;) {
    let best = merges.length;
    let where = -1;
    for (let at = 0; at + 1 < symbols.length; at++) {
      const rank = merges.findIndex(([left, right]) => left === symbols[at] && right === symbols[at + 1]);
      if (rank >= 0 && rank < best) [best, where] = [rank, at];
    }
    if (where < 0) return symbols;
    symbols.splice(where, 2, merges[best]![2]);
  }
}

function quickly(merges: readonly Merge[], word: readonly number[]): number[] {
  const ranks = pairTable();
  for (const [rank, [left, right]] of merges.entries()) ranks.set(left, right, rank);
  const symbols = Int32Array.from(word);
  return [
    ...symbols.subarray(
      0,
      mergeWordBy(
        ranks,
        merges.map(merge => merge[2]),
      )(symbols, word.length),
    ),
  ];
}

describe('merging a word', () => {
  it('agrees with the definition, for any merges', () => {
    const merges = fc.uniqueArray(fc.tuple(fc.nat(7), fc.nat(7)), {
      maxLength: 12,
      selector: ([left, right]) => left * 8 + right,
    });
    fc.assert(
      fc.property(merges, fc.array(fc.nat(3), { minLength: 1, maxLength: 40 }), (pairs, word) => {
        const ranked = pairs.map(([left, right], rank): Merge => [left, right, 4 + (rank % 4)]);
        expect(quickly(ranked, word)).toEqual(slowly(ranked, word));
      }),
      { numRuns: 2000 },
    );
  });
});
