/** Weighted sums for gpu.js: five inputs a launch, which adds to what the launch before it left. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Cells, type Thread } from '@heddle/backend-gpujs/kernel';
import { weightedSumOp } from '../parts/sums.js';

const width = 5;

interface Run {
  /** Weight of the first input read. */
  readonly from: number;
  /** How many inputs are meant; the others are there because a kernel's arguments are fixed. */
  readonly count: number;
  /** 1 for the first launch: there is no sum yet. */
  readonly first: number;
}

const add = perCell(function add(
  this: Thread<Run>,
  a: number[],
  b: number[],
  c: number[],
  d: number[],
  e: number[],
  weights: number[],
  sum: number[],
) {
  const { from, count, first } = this.constants;
  const at = this.thread.x;
  let value = weights[from]! * a[at]!;
  if (first < 1) value = value + sum[at]!;
  if (count > 1) value = value + weights[from + 1]! * b[at]!;
  if (count > 2) value = value + weights[from + 2]! * c[at]!;
  if (count > 3) value = value + weights[from + 3]! * d[at]!;
  if (count > 4) value = value + weights[from + 4]! * e[at]!;
  return value;
});

export const weightedSumKernel = defineKernel(GPUJS, {
  op: weightedSumOp,
  build(types) {
    const models = types.length - 1;
    const output = sizeOf(types[0]!.shape);
    let sum: Cells | null = null;
    for (let from = 0; from < models; from += width) {
      const count = Math.min(width, models - from);
      const inputs = Array.from({ length: width }, (_, k) => from + Math.min(k, count - 1));
      sum = add({
        output,
        constants: { from, count, first: sum === null ? 1 : 0 },
        reads: [...inputs, models, sum ?? inputs[0]!],
      });
    }
    return sum!;
  },
});
