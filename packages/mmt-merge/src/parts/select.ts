/**
 * The k largest of many numbers, exactly, without a sort: on both sides.
 *
 * Equal numbers are told apart by their place: the first ones are taken. So a mask has exactly k elements whatever the
 * data, which matters where weights are stored in 16 bits and differences take few values.
 */

import { constant, defineOp, iota, where, type MergeArray, type Tensor } from '@heddle/core';
import { borrowed, loopsFor } from '../simd/simd.js';

/** Where a cut goes through numbers in falling order. @shape threshold f32[1], place i32[1] */
export interface Cut {
  readonly threshold: Tensor;
  /** Of the elements equal to the threshold, those before this place belong to the k. */
  readonly place: Tensor;
}

/**
 * Finds the cut by bisection on the value, then on the place.
 *
 * @param x a vector of finite numbers
 * @param k how many are wanted: from 0 to all, as a number or f32[1]
 */
export function cutAt(x: Tensor, k: Tensor | number): Cut {
  const n = x.size;
  const wanted = typeof k === 'number' ? constant([k], [1]) : k;
  const count = (mask: Tensor): Tensor => where(mask, 1, constant([0], [1])).sum(0, { keep: true });
  let low = x.neg().max(0, { keep: true }).neg(); // the smallest: all are at least this
  let high = x.max(0, { keep: true });
  const top = high;
  for (let round = 0; round < 64; round++) {
    const middle = low.add(high.sub(low).mul(0.5));
    const enough = notLess(count(notLess(x, middle)), wanted);
    low = where(enough, middle, low);
    high = where(enough, high, middle);
  }
  // The bisection closes in on the threshold from below; the largest itself is only met when asked for.
  const threshold = where(notLess(count(notLess(x, top)), wanted), top, low);
  const above = count(x.greater(threshold));
  const tied = x.equal(threshold);
  const places = iota([n], 0);
  let first = constant([0], [1], 'i32');
  let last = constant([n], [1], 'i32');
  for (let round = 0; round < 32; round++) {
    const middle = first.add(last).cast('f32').mul(0.5).floor().cast('i32'); // exact below 2^24
    const before = where(tied, where(places.less(middle), 1, constant([0], [1])), 0).sum(0, { keep: true });
    const enough = notLess(before, wanted.sub(above));
    last = where(enough, middle, last);
    first = where(enough, first, middle);
  }
  return { threshold, place: last };
}

const notLess = (x: Tensor, y: Tensor): Tensor => where(x.less(y), 0, constant([1], [1], 'i32')).cast('bool');

/**
 * 1 for the elements on the large side of a cut, 0 for the rest.
 *
 * @shape x [n], threshold f32[1], place i32[1] -> [n]
 */
export const magnitudeMaskOp = defineOp({
  name: 'merge.magnitudeMask',
  version: 1,
  infer: types => [types[0]!],
  decompose([x, threshold, place]) {
    const tied = x!.equal(threshold!);
    const early = iota([x!.size], 0).less(place!);
    return [where(x!.greater(threshold!), 1, where(tied, where(early, 1, constant([0], [1])), 0))];
  },
});

/** A mask of the k largest. @shape [n] -> [n] of 0 and 1 */
export function largest(x: Tensor, k: Tensor | number): Tensor {
  const { threshold, place } = cutAt(x, k);
  return magnitudeMaskOp([x, threshold, place], {})[0]!;
}

/** The k-th largest number, k from 1. @shape [n] -> [1] */
export const kthLargest = (x: Tensor, k: number): Tensor => cutAt(x, k).threshold;

// --- Over arrays: two histograms, of the upper and the lower half of the bits.

/** Finds cuts through a stream of numbers in two looks, and then tells for each number on which side it is. */
export interface Selector {
  /** The first look and the second, over the same numbers in the same order. */
  readonly looks: readonly ((numbers: MergeArray, length: number) => void)[];
  /** The value at each cut, the k-th largest. Infinity where k is 0. */
  value(cut: number): number;
  /**
   * How many of the numbers equal to the value belong to the k and are still to come; a caller that takes some says how many
   * are left. Pieces must come in order; the first begins anew.
   */
  ties(cut: number, start: number): number;
  taken(cut: number, left: number): void;
}

const half = 0x10000;

export interface Selection {
  /** Compare magnitudes; numbers with their signs otherwise. */
  readonly magnitude: boolean;
  /**
   * For each cut how many of the largest are wanted; asked after the first look, for counts that the numbers themselves
   * decide.
   */
  wanted(): readonly number[];
  /** All numbers are bfloat16: the first look knows all that there is to know. */
  readonly coarse?: boolean;
}

/** Numbers are compared as float32: doubles are rounded to that first. */
export function selector({ magnitude, wanted, coarse = false }: Selection): Selector {
  // Who only asks how many looks there are takes no memory.
  let counted: Uint32Array | null = null;
  const upper = (): Uint32Array => (counted ??= borrowed(half));
  const sign = magnitude ? 0 : 0x8000_0000;
  let cuts: Found[] | null = null;
  let done = false;
  let rounded = new Float32Array(0);

  /** The bits of the numbers as float32. */
  const bitsOf = (numbers: MergeArray, length: number): Uint32Array => {
    if (numbers instanceof Float32Array) return new Uint32Array(numbers.buffer, numbers.byteOffset, length);
    if (rounded.length < length) rounded = new Float32Array(length);
    for (let i = 0; i < length; i++) rounded[i] = numbers[i]!;
    return new Uint32Array(rounded.buffer, 0, length);
  };
  const found = (): readonly Found[] => (cuts ??= wanted().map(k => findBin(upper(), k, !coarse)));

  function settle(): void {
    if (done) return;
    done = true;
    for (const cut of found()) {
      if (cut.k === 0) continue;
      if (coarse) {
        cut.value = numberOf((cut.bin * half) >>> 0, magnitude);
        cut.ties = cut.rest;
        continue;
      }
      const { bin, rest } = findBin(cut.lower, cut.rest);
      cut.value = numberOf((cut.bin * half + bin) >>> 0, magnitude);
      cut.ties = rest;
    }
  }

  return {
    looks: [
      (numbers, length) => countUpper(bitsOf(numbers, length), length, upper(), sign),
      ...(coarse
        ? []
        : [
            (numbers: MergeArray, length: number): void => {
              const bits = bitsOf(numbers, length);
              for (const cut of found()) if (cut.k > 0) countLower(bits, length, cut.bin, cut.lower, sign);
            },
          ]),
    ],
    value(cut) {
      settle();
      return found()[cut]!.value;
    },
    ties(cut, start) {
      settle();
      const one = found()[cut]!;
      if (start === 0) one.left = one.ties;
      return one.left;
    },
    taken(cut, left) {
      found()[cut]!.left = left;
    },
  };
}

interface Found {
  readonly k: number;
  readonly bin: number;
  /** How many of the bin itself are wanted. */
  readonly rest: number;
  readonly lower: Uint32Array;
  value: number;
  /** How many of those equal to the value are wanted, and how many of them are still to come. */
  ties: number;
  left: number;
}

function findBin(histogram: Uint32Array, k: number, looksTwice = true): Found {
  let rest = k;
  let bin = half - 1;
  while (bin > 0 && histogram[bin]! < rest) rest -= histogram[bin--]!;
  return { k, bin, rest, lower: borrowed(k === 0 || !looksTwice ? 0 : half), value: Infinity, ties: 0, left: 0 };
}

/*
 * Keys are bits that compare as unsigned numbers the way the floats do. Of a magnitude: the bits without the sign, moved
 * up by one to use all of the upper half. Of a number with a sign: all bits turned if negative, else only the sign.
 */

function countUpper(bits: Uint32Array, length: number, histogram: Uint32Array, sign: number): void {
  const loops = sign === 0 ? loopsFor(bits, histogram) : null;
  if (loops !== null) loops.countUpper(bits.byteOffset, histogram.byteOffset, length);
  else if (sign === 0) for (let i = 0; i < length; i++) histogram[(bits[i]! << 1) >>> 16]!++;
  else for (let i = 0; i < length; i++) histogram[keyOf(bits[i]!) >>> 16]!++;
}

function countLower(bits: Uint32Array, length: number, bin: number, histogram: Uint32Array, sign: number): void {
  if (sign === 0) {
    const loops = loopsFor(bits, histogram);
    const whole = loops === null ? 0 : length & ~3;
    loops?.countLower(bits.byteOffset, histogram.byteOffset, bin, whole);
    for (let i = whole; i < length; i++) {
      const key = bits[i]! << 1;
      if (key >>> 16 === bin) histogram[key & 0xffff]!++;
    }
    return;
  }
  for (let i = 0; i < length; i++) {
    const key = keyOf(bits[i]!);
    if (key >>> 16 === bin) histogram[key & 0xffff]!++;
  }
}

/** Minus zero is zero. */
const keyOf = (bits: number): number =>
  bits >>> 0 === 0x8000_0000 ? 0x8000_0000 : (bits ^ ((bits >> 31) | 0x8000_0000)) >>> 0;

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function numberOf(key: number, magnitude: boolean): number {
  word[0] = magnitude ? key >>> 1 : key >= 0x8000_0000 ? key ^ 0x8000_0000 : ~key;
  return float[0]!;
}
