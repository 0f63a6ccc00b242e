/** Merging the byte pairs of one word, best rank first, as byte-pair encoding defines it. */

import { heap } from './heap.js';
import type { PairTable } from './pairs.js';

/** In place: `symbols` holds `length` ids before and as many as it returns after. */
export type MergeWord = (symbols: Int32Array, length: number) => number;

/**
 * A heap of mergeable pairs over a linked list of symbols: n log n for a word of n bytes, so a text that is one long
 * word costs no more than others. (Rescanning the word after each merge, as GPT-2's own code does, is quadratic.)
 *
 * @param ranks pair to rank; the lowest rank merges first, then the leftmost
 * @param results id made by the merge of each rank
 */
export function mergeWordBy(ranks: PairTable, results: ArrayLike<number>): MergeWord {
  // rank * 2^32 + position in one number. A pair that changed since it was pushed is known by its rank when it comes out.
  const queue = heap<number>((a, b) => a < b);
  let next = new Int32Array(64);
  let previous = new Int32Array(64);

  return (symbols, length) => {
    if (length > next.length) {
      next = new Int32Array(length * 2);
      previous = new Int32Array(length * 2);
    }
    queue.clear();
    for (let at = 0; at < length; at++) {
      next[at] = at + 1;
      previous[at] = at - 1;
      if (at + 1 < length) {
        const rank = ranks.get(symbols[at]!, symbols[at + 1]!);
        if (rank >= 0) queue.push(rank * TWO_32 + at);
      }
    }

    let left = length;
    for (let key = queue.pop(); key !== undefined; key = queue.pop()) {
      const rank = Math.floor(key / TWO_32);
      const at = key - rank * TWO_32;
      const after = next[at]!;
      if (symbols[at] === GONE || after >= length || ranks.get(symbols[at]!, symbols[after]!) !== rank) continue;
      const beyond = next[after]!;
      symbols[at] = results[rank]!;
      symbols[after] = GONE;
      next[at] = beyond;
      left--;
      if (beyond < length) {
        previous[beyond] = at;
        const found = ranks.get(symbols[at]!, symbols[beyond]!);
        if (found >= 0) queue.push(found * TWO_32 + at);
      }
      const before = previous[at]!;
      if (before >= 0) {
        const found = ranks.get(symbols[before]!, symbols[at]!);
        if (found >= 0) queue.push(found * TWO_32 + before);
      }
    }

    for (let from = 0, to = 0; from < length; from = next[from]!) symbols[to++] = symbols[from]!;
    return left;
  };
}

const TWO_32 = 2 ** 32;
const GONE = -1;
