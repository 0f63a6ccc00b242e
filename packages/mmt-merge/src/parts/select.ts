/**
 * The k largest of many numbers, exactly, without a sort: on both sides.
 *
 * Equal numbers are told apart by their place: the first ones are taken. So a mask has exactly k elements whatever the
 * data, which matters where weights are stored in 16 bits and differences take few values.
 */

import { constant, defineOp, iota, where, type MergeArray, type Tensor } from '@heddle/core';

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
  /** The first look and the second, over the same numbers in the same order, compared as float32. */
  readonly looks: readonly [(numbers: MergeArray, length: number) => void, (numbers: MergeArray, length: number) => void];
  /** The value at each cut: the k-th largest; NaN before both looks, or where k is 0. */
  value(cut: number): number;
  /** Marks 1 the elements on the large side of a cut. Pieces must come in order; one at 0 begins anew. */
  mark(cut: number, numbers: MergeArray, start: number, length: number, out: Uint8Array): void;
}

const half = 0x10000;

/**
 * @param wanted for each cut how many of the largest are wanted; asked after the first look, for counts that the numbers
 *   themselves decide
 */
export function selector(wanted: () => readonly number[]): Selector {
  const upper = new Uint32Array(half);
  let cuts: Found[] | null = null;
  let done = false;
  let bits = new Uint32Array(0);

  const keysOf = (numbers: MergeArray, length: number): Uint32Array => {
    if (bits.length < length) bits = new Uint32Array(length);
    keys(numbers, length, bits);
    return bits;
  };
  const found = (): readonly Found[] => (cuts ??= wanted().map(k => findBin(upper, k)));

  return {
    looks: [
      (numbers, length) => countUpper(keysOf(numbers, length), length, upper),
      (numbers, length) => {
        const all = keysOf(numbers, length);
        for (const cut of found()) if (cut.k > 0) countLower(all, length, cut.bin, cut.lower);
      },
    ],
    value(cut) {
      settle();
      const { k, key } = found()[cut]!;
      return k === 0 ? NaN : numberOf(key);
    },
    mark(cut, numbers, start, length, out) {
      settle();
      const one = found()[cut]!;
      if (start === 0) one.left = one.ties;
      if (one.k === 0) {
        out.fill(0, 0, length);
        return;
      }
      one.left = markKeys(keysOf(numbers, length), length, one.key, one.left, out);
    },
  };

  function settle(): void {
    if (done) return;
    done = true;
    for (const cut of found()) {
      if (cut.k === 0) continue;
      const { bin, rest } = findBin(cut.lower, cut.rest);
      cut.key = cut.bin * half + bin;
      cut.ties = rest;
    }
  }
}

interface Found {
  readonly k: number;
  readonly bin: number;
  /** How many of the bin itself are wanted. */
  readonly rest: number;
  readonly lower: Uint32Array;
  key: number;
  /** How many of those equal to the key are wanted, and how many of them are still to come. */
  ties: number;
  left: number;
}

function findBin(histogram: Uint32Array, k: number): Found {
  let rest = k;
  let bin = half - 1;
  while (bin > 0 && histogram[bin]! < rest) rest -= histogram[bin--]!;
  return { k, bin, rest, lower: new Uint32Array(k === 0 ? 0 : half), key: 0, ties: 0, left: 0 };
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function numberOf(key: number): number {
  word[0] = key >= 0x8000_0000 ? key ^ 0x8000_0000 : ~key;
  return float[0]!;
}

/** Bits that compare as unsigned numbers the way the floats do; minus zero counts as zero. */
function keys(numbers: MergeArray, length: number, out: Uint32Array): void {
  const floats = new Float32Array(out.buffer, 0, length);
  for (let i = 0; i < length; i++) {
    floats[i] = numbers[i]! + 0;
    const b = out[i]!;
    out[i] = b ^ ((b >> 31) | 0x8000_0000);
  }
}

function countUpper(all: Uint32Array, length: number, histogram: Uint32Array): void {
  for (let i = 0; i < length; i++) histogram[all[i]! >>> 16]!++;
}

function countLower(all: Uint32Array, length: number, bin: number, histogram: Uint32Array): void {
  for (let i = 0; i < length; i++) if (all[i]! >>> 16 === bin) histogram[all[i]! & 0xffff]!++;
}

function markKeys(all: Uint32Array, length: number, key: number, left: number, out: Uint8Array): number {
  for (let i = 0; i < length; i++) {
    const one = all[i]!;
    if (one > key) out[i] = 1;
    else if (one < key || left === 0) out[i] = 0;
    else {
      out[i] = 1;
      left--;
    }
  }
  return left;
}
