/** Shuffling without a list: where each index goes is computed, so that any place of any epoch is found at once. */

import { fail } from '@heddle/core';
import { mix } from './hash.js';

/**
 * A keyed permutation of 0 to size - 1: a Feistel network over the next even power of two, walked again while it lands
 * outside (Black and Rogaway 2002). About two walks a call on average, four at worst sizes, and no memory.
 *
 * @param size 1 to 2^31
 * @param key any 32-bit number
 */
export function permutation(size: number, key: number): (index: number) => number {
  if (!Number.isInteger(size) || size < 1 || size > 2 ** 31) {
    fail('E_RANGE', `permutation: expected a size from 1 to ${2 ** 31}, received ${size}. Shuffle fewer things.`, {
      size,
    });
  }
  let half = 1;
  while (4 ** half < size) half++;
  const mask = 2 ** half - 1;
  const keys = Array.from({ length: rounds }, (_, round) => mix(key + Math.imul(round + 1, 0x9e3779b9)));

  return index => {
    let place = index;
    do {
      let left = place >>> half;
      let right = place & mask;
      for (const word of keys) [left, right] = [right, left ^ (mix(right ^ word) & mask)];
      place = (left * 2 ** half + right) >>> 0; // up to 2^32: beyond what << keeps positive
    } while (place >= size);
    return place;
  };
}

/** Four make a Feistel network hard to tell from chance; small halves need some more. */
const rounds = 8;
