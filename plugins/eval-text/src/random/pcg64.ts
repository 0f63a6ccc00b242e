/** PCG64 (O'Neill 2014: PCG XSL RR 128/64) as behind `numpy.random.default_rng`, in 32-bit arithmetic. */

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

/** The multiplier 0x2360ed051fc65da44385df649fccf645, lowest word first. */
const M0 = 0x9fccf645;
const M1 = 0x4385df64;
const M2 = 0x1fc65da4;
const M3 = 0x2360ed05;

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
  const words = seedState(seed, 8);
  // Words come in pairs, high 64 bits before low ones, each pair with its low word first.
  const [start2, start3, start0, start1, stream2, stream3, stream0, stream1] = words as unknown as number[];
  // The increment is the stream times two, plus one.
  const i0 = ((stream0! << 1) | 1) >>> 0;
  const i1 = ((stream1! << 1) | (stream0! >>> 31)) >>> 0;
  const i2 = ((stream2! << 1) | (stream1! >>> 31)) >>> 0;
  const i3 = ((stream3! << 1) | (stream2! >>> 31)) >>> 0;
  // Words in a typed array: as variables of a closure they would be boxed, a box for each step.
  const state = new Uint32Array(4);

  const step = (): void => {
    const s0 = state[0]!;
    const s1 = state[1]!;
    const s2 = state[2]!;
    // The low 128 bits of state times multiplier, plus increment, word by word. Sums stay exact below 2^53.
    let sum = (Math.imul(s0, M0) >>> 0) + i0;
    state[0] = sum;
    sum = (sum > 0xffffffff ? 1 : 0) + high(s0, M0) + (Math.imul(s1, M0) >>> 0) + (Math.imul(s0, M1) >>> 0) + i1;
    state[1] = sum;
    sum =
      Math.floor(sum / 0x100000000) +
      high(s1, M0) +
      high(s0, M1) +
      (Math.imul(s2, M0) >>> 0) +
      (Math.imul(s1, M1) >>> 0) +
      (Math.imul(s0, M2) >>> 0) +
      i2;
    state[2] = sum;
    // Of the highest word only 32 bits are kept: 32-bit products will do.
    state[3] =
      Math.floor(sum / 0x100000000) +
      high(s2, M0) +
      high(s1, M1) +
      high(s0, M2) +
      ((Math.imul(state[3]!, M0) + Math.imul(s2, M1) + Math.imul(s1, M2) + Math.imul(s0, M3)) >>> 0) +
      i3;
  };
  step();
  let carry = 0;
  for (const [word, start] of [start0!, start1!, start2!, start3!].entries()) {
    const sum = state[word]! + start + carry;
    state[word] = sum;
    carry = sum > 0xffffffff ? 1 : 0;
  }
  step();

  const waiting = new Uint32Array(1); // the high half of the last draw
  let isWaiting = false;
  const uint32 = (): number => {
    if (isWaiting) {
      isWaiting = false;
      return waiting[0]!;
    }
    step();
    // The halves of the state, folded and turned by the top 6 bits.
    const turn = state[3]! >>> 26;
    const even = (state[2]! ^ state[0]!) >>> 0;
    const odd = (state[3]! ^ state[1]!) >>> 0;
    const low = turn >= 32 ? odd : even;
    const top = turn >= 32 ? even : odd;
    const by = turn & 31;
    isWaiting = true;
    waiting[0] = by === 0 ? top : (top >>> by) | (low << (32 - by));
    return by === 0 ? low : ((low >>> by) | (top << (32 - by))) >>> 0;
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
