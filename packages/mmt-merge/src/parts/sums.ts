/** Weighted sums, on both sides: as an op for engines, as loops over arrays. */

import { loopsFor, mostInputs } from '../simd/simd.js';
import { constant, defineOp, type MergeArray, type MergePiece, type MergeTask, type Tensor } from '@heddle/core';

/**
 * `sum_i w_i x_i` of n tensors of one shape. An op, so that an engine may do it in one pass over memory.
 *
 * @shape x_1..x_n [...s], w [n] -> [...s]
 */
export const weightedSumOp = defineOp({
  name: 'merge.weightedSum',
  version: 1,
  infer: types => [types[0]!],
  decompose(inputs) {
    const weights = inputs.at(-1)!;
    const terms = inputs
      .slice(0, -1)
      .map((x, at) => x.mul(weights.slice(0, at, at + 1).reshape(...x.shape.map(() => 1))));
    return [terms.reduce((sum, term) => sum.add(term))];
  },
});

export const weightedSum = (tensors: readonly Tensor[], weights: readonly number[] | Tensor): Tensor =>
  weightedSumOp(
    [...tensors, Array.isArray(weights) ? constant(weights as number[], [weights.length]) : (weights as Tensor)],
    {},
  )[0]!;

/** `out = sum_i w_i x_i`. Up to four inputs share a pass: fewer trips over `out`. */
export function sumInto(
  out: MergeArray,
  arrays: readonly MergeArray[],
  weights: ArrayLike<number>,
  length: number,
): void {
  const loops = arrays.length > mostInputs ? null : loopsFor(out, arrays[0]);
  if (loops !== null && arrays.length > 0 && arrays.every(array => array.buffer === out.buffer)) {
    const whole = length & ~3;
    const pointers = arrays.map(array => array.byteOffset);
    loops.sums[arrays.length - 1]!(out.byteOffset, whole, ...pointers, ...Array.from(weights));
    for (let i = whole; i < length; i++) out[i] = arrays.reduce((sum, x, k) => sum + weights[k]! * x[i]!, 0);
    return;
  }
  let at = 0;
  if (arrays.length === 0) out.fill(0, 0, length);
  else if (arrays.length >= 4) {
    four(out, arrays[0]!, arrays[1]!, arrays[2]!, arrays[3]!, weights, length);
    at = 4;
  } else if (arrays.length >= 2) {
    two(out, arrays[0]!, arrays[1]!, weights[0]!, weights[1]!, length);
    at = 2;
  } else {
    scaled(out, arrays[0]!, weights[0]!, length);
    at = 1;
  }
  for (; at < arrays.length; at++) addScaled(out, arrays[at]!, weights[at]!, length);
}

function four(
  out: MergeArray,
  a: MergeArray,
  b: MergeArray,
  c: MergeArray,
  d: MergeArray,
  w: ArrayLike<number>,
  length: number,
): void {
  const [wa, wb, wc, wd] = [w[0]!, w[1]!, w[2]!, w[3]!];
  for (let i = 0; i < length; i++) out[i] = wa * a[i]! + wb * b[i]! + wc * c[i]! + wd * d[i]!;
}

function two(out: MergeArray, a: MergeArray, b: MergeArray, wa: number, wb: number, length: number): void {
  for (let i = 0; i < length; i++) out[i] = wa * a[i]! + wb * b[i]!;
}

export function scaled(out: MergeArray, x: MergeArray, w: number, length: number): void {
  if (loopsFor(out, x) !== null) return sumInto(out, [x], [w], length);
  for (let i = 0; i < length; i++) out[i] = w * x[i]!;
}

export function addScaled(out: MergeArray, x: MergeArray, w: number, length: number): void {
  if (loopsFor(out, x) !== null) return sumInto(out, [out, x], [1, w], length);
  for (let i = 0; i < length; i++) out[i] = out[i]! + w * x[i]!;
}

export function subtract(out: MergeArray, a: MergeArray, b: MergeArray, length: number): void {
  const loops = a.buffer === out.buffer ? loopsFor(out, b) : null;
  const whole = loops === null ? 0 : length & ~3;
  loops?.subtract(out.byteOffset, a.byteOffset, b.byteOffset, whole);
  for (let i = whole; i < length; i++) out[i] = a[i]! - b[i]!;
}

/** `out = out / by`, where `by` is not 0. */
export function divideInto(out: MergeArray, by: MergeArray, length: number): void {
  const loops = loopsFor(out, by);
  const whole = loops === null ? 0 : length & ~3;
  loops?.divide(out.byteOffset, by.byteOffset, whole);
  for (let i = whole; i < length; i++) if (by[i] !== 0) out[i] = out[i]! / by[i]!;
}

/** The sum of products of `length` elements from `from` on. */
export function dot(a: MergeArray, b: MergeArray, from: number, length: number): number {
  const loops = loopsFor(a, b);
  const whole = loops === null ? 0 : length & ~3;
  let sum = loops?.dot(a.byteOffset + from * 4, b.byteOffset + from * 4, whole) ?? 0;
  for (let i = from + whole; i < from + length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** The models, or their differences from the base where there is one; scratch memory holds those. */
export function directions(task: MergeTask, { models, base, length }: MergePiece): readonly MergeArray[] {
  if (base === null) return models;
  return models.map((model, at) => {
    const out = task.scratch(`difference ${at}`);
    subtract(out, model, base, length);
    return out;
  });
}
