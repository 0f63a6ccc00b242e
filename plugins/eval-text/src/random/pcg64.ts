/** PCG64 (O'Neill 2014: PCG XSL RR 128/64) as behind `numpy.random.default_rng`, in arithmetic of doubles. */

import { fail } from '@heddle/core';
import { seedState } from './seed-sequence.js';

export interface Generator {
  /** 32 bits; a 64-bit draw gives its low half first. */
  uint32(): number;
  /** As `Generator.integers(0, below)`: each whole number from 0 up equally likely (Lemire 2019). */
  below(limit: number): number;
  /** As `Generator.integers(2, size=count, dtype=bool)`: one draw gives 32 of them, lowest bit first. */
  coins(count: number): Uint8Array;
}

/** 128 bits as limbs of 16, lowest first: eight products of two limbs add up exactly in a double. */
const limbsOf = (words: readonly number[]): Float64Array =>
  Float64Array.from(words.flatMap(word => [word & 0xffff, word >>> 16]));

/** The multiplier 0x2360ed051fc65da44385df649fccf645. */
const [m0, m1, m2, m3, m4, m5, m6, m7] = limbsOf([0x9fccf645, 0x4385df64, 0x1fc65da4, 0x2360ed05]) as unknown as Limbs;

type Limbs = readonly [number, number, number, number, number, number, number, number];

/**
 * Takes two words from each state on the way: the low 128 bits of state times multiplier, plus increment. A function of the
 * module, for engines compile a closure anew for each generator.
 */
function advance(state: Float64Array, increment: Float64Array, words: Uint32Array): void {
  let [a0, a1, a2, a3, a4, a5, a6, a7] = state as unknown as Limbs;
  const [i0, i1, i2, i3, i4, i5, i6, i7] = increment as unknown as Limbs;
  for (let at = 0; at < words.length; at += 2) {
    const sum0 = a0 * m0 + i0;
    const over0 = Math.floor(sum0 / 2 ** 16);
    const sum1 = a0 * m1 + a1 * m0 + i1 + over0;
    const over1 = Math.floor(sum1 / 2 ** 16);
    const sum2 = a0 * m2 + a1 * m1 + a2 * m0 + i2 + over1;
    const over2 = Math.floor(sum2 / 2 ** 16);
    const sum3 = a0 * m3 + a1 * m2 + a2 * m1 + a3 * m0 + i3 + over2;
    const over3 = Math.floor(sum3 / 2 ** 16);
    const sum4 = a0 * m4 + a1 * m3 + a2 * m2 + a3 * m1 + a4 * m0 + i4 + over3;
    const over4 = Math.floor(sum4 / 2 ** 16);
    const sum5 = a0 * m5 + a1 * m4 + a2 * m3 + a3 * m2 + a4 * m1 + a5 * m0 + i5 + over4;
    const over5 = Math.floor(sum5 / 2 ** 16);
    const sum6 = a0 * m6 + a1 * m5 + a2 * m4 + a3 * m3 + a4 * m2 + a5 * m1 + a6 * m0 + i6 + over5;
    const over6 = Math.floor(sum6 / 2 ** 16);
    const sum7 = a0 * m7 + a1 * m6 + a2 * m5 + a3 * m4 + a4 * m3 + a5 * m2 + a6 * m1 + a7 * m0 + i7 + over6;
    const over7 = Math.floor(sum7 / 2 ** 16);
    a0 = sum0 - over0 * 2 ** 16;
    a1 = sum1 - over1 * 2 ** 16;
    a2 = sum2 - over2 * 2 ** 16;
    a3 = sum3 - over3 * 2 ** 16;
    a4 = sum4 - over4 * 2 ** 16;
    a5 = sum5 - over5 * 2 ** 16;
    a6 = sum6 - over6 * 2 ** 16;
    a7 = sum7 - over7 * 2 ** 16;
    const s1 = (a2 + a3 * 2 ** 16) | 0;
    const s3 = (a6 + a7 * 2 ** 16) | 0;
    // The halves of the state, folded and turned by the top 6 bits; no branch, for it would go either way by chance.
    const even = (a0 + a1 * 2 ** 16) ^ (a4 + a5 * 2 ** 16);
    const odd = s1 ^ s3;
    const by = (s3 >>> 26) & 31;
    const swapped = (even ^ odd) & (s3 >> 31);
    const low = even ^ swapped;
    const top = odd ^ swapped;
    words[at] = (low >>> by) | ((top << 1) << (31 - by));
    words[at + 1] = (top >>> by) | ((low << 1) << (31 - by));
  }
  state.set([a0, a1, a2, a3, a4, a5, a6, a7]);
}

/** High 32 bits of a product of two 32-bit numbers. */
function high(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16); // below 2^32
  const other = a0 * b1 + (middle & 0xffff);
  return (a1 * b1 + (middle >>> 16) + (other >>> 16)) >>> 0;
}

/**
 * @param seed a whole number from 0 to 2^53 - 1
 * @returns draws equal to those of `numpy.random.default_rng(seed)`
 * @throws E_CONFIG for another seed
 */
export function pcg64(seed: number): Generator {
  if (!(Number.isSafeInteger(seed) && seed >= 0))
    fail('E_CONFIG', `seed: expected a whole number from 0 to 2^53 - 1, received ${seed}. sacreBLEU's own is 12345.`, {
      seed,
    });
  const seeded = [...seedState(seed, 8)];
  // Words come in pairs, high 64 bits before low ones, each pair with its low word first.
  const [start2, start3, start0, start1, stream2, stream3, stream0, stream1] = seeded as unknown as Limbs;
  // The increment is the stream times two, plus one.
  const increment = limbsOf([
    (stream0 << 1) | 1,
    (stream1 << 1) | (stream0 >>> 31),
    (stream2 << 1) | (stream1 >>> 31),
    (stream3 << 1) | (stream2 >>> 31),
  ]);
  const state = new Float64Array(8);
  const words = new Uint32Array(256);
  const once = new Uint32Array(2);
  advance(state, increment, once);
  let carried = 0;
  for (const [k, start] of limbsOf([start0, start1, start2, start3]).entries()) {
    const sum = state[k]! + start + carried;
    carried = Math.floor(sum / 2 ** 16);
    state[k] = sum - carried * 2 ** 16;
  }
  advance(state, increment, once);

  let next = words.length;
  const uint32 = (): number => {
    if (next === words.length) {
      advance(state, increment, words);
      next = 0;
    }
    return words[next++]!;
  };

  let known = 0;
  let refused = 0;

  return {
    uint32,
    below(limit) {
      if (limit <= 1) return 0;
      if (limit === 2 ** 32) return uint32();
      if (limit !== known) {
        known = limit;
        refused = 2 ** 32 % limit; // draws that would favour small numbers
      }
      for (;;) {
        const draw = uint32();
        if (Math.imul(draw, limit) >>> 0 >= refused) return high(draw, limit);
      }
    },
    coins(count) {
      const found = new Uint8Array(count);
      let bits = 0;
      for (let i = 0; i < count; i++) {
        bits = (i & 31) === 0 ? uint32() : bits >>> 1;
        found[i] = bits & 1;
      }
      return found;
    },
  };
}
