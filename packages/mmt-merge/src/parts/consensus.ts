/** Election of signs (TIES, Yadav et al. 2023): per element, only those who agree with the weighted sum are heard. */

import { constant, defineOp, where, type MergeArray, type Tensor } from '@heddle/core';
import { loopsFor, mostInputs } from '../simd/simd.js';
import { sumInto } from './sums.js';

/**
 * The sum of `w_i x_i` over those whose sign is the sign of the whole sum (a sum of 0 counts as positive; zeros agree with
 * nobody), and the sum of their weights.
 *
 * @shape x_1..x_n [...s], w [n] -> [...s], [...s]
 */
export const signConsensusOp = defineOp({
  name: 'merge.signConsensus',
  version: 1,
  infer: types => [types[0]!, types[0]!],
  decompose(inputs) {
    const weights = inputs.at(-1)!;
    const parts = inputs.slice(0, -1).map((x, at) => {
      const w = weights.slice(0, at, at + 1).reshape(...x.shape.map(() => 1));
      return { w: w.broadcastTo(x.shape), e: x.mul(w) };
    });
    const sum = parts.map(({ e }) => e).reduce((a, b) => a.add(b));
    const negative = sum.less(0);
    const agreeing = parts.map(({ w, e }) => {
      const agrees = (amount: Tensor): Tensor =>
        where(negative, where(e.less(0), amount, 0), where(e.greater(0), amount, 0));
      return { w: agrees(w), e: agrees(e) };
    });
    return [
      agreeing.map(({ e }) => e).reduce((a, b) => a.add(b)),
      agreeing.map(({ w }) => w).reduce((a, b) => a.add(b)),
    ];
  },
});

export function signConsensus(
  tensors: readonly Tensor[],
  weights: readonly number[],
): { readonly sum: Tensor; readonly weight: Tensor } {
  const [sum, weight] = signConsensusOp([...tensors, constant(weights, [weights.length])], {});
  return { sum: sum!, weight: weight! };
}

/**
 * The same over arrays: fills `sum` and `weight`.
 *
 * @param factors what each vector is multiplied by
 * @param weights what it counts in the divisor
 */
export function consensusInto(
  sum: MergeArray,
  weight: MergeArray,
  elected: MergeArray,
  arrays: readonly MergeArray[],
  factors: readonly number[],
  weights: readonly number[],
  length: number,
): void {
  const loops = arrays.length > mostInputs ? null : loopsFor(sum, weight);
  const whole = loops !== null && arrays.every(array => array.buffer === sum.buffer) ? length & ~3 : 0;
  if (whole > 0) {
    const pointers = arrays.map(array => array.byteOffset);
    loops!.consensus[arrays.length - 1]!(sum.byteOffset, weight.byteOffset, whole, ...pointers, ...factors, ...weights);
  }
  if (whole === length) return;
  const rest = (array: MergeArray): MergeArray => array.subarray(whole, length);
  const [sums, by, votes] = [rest(sum), rest(weight), rest(elected)];
  sumInto(votes, arrays.map(rest), factors, length - whole);
  sums.fill(0);
  by.fill(0);
  for (const [at, x] of arrays.entries()) hear(sums, by, votes, rest(x), factors[at]!, weights[at]!, length - whole);
}

function hear(
  sum: MergeArray,
  weight: MergeArray,
  elected: MergeArray,
  x: MergeArray,
  factor: number,
  w: number,
  length: number,
): void {
  for (let i = 0; i < length; i++) {
    const e = factor * x[i]!;
    if (elected[i]! < 0 ? e < 0 : e > 0) {
      sum[i] = sum[i]! + e;
      weight[i] = weight[i]! + w;
    }
  }
}
