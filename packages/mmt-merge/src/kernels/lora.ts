/** Adapters for gpu.js: a thread a cell, which goes over the rank and stores one number. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { factorSumOp, loraUpdateOp } from '../lora/ops.js';

interface Update {
  readonly rank: number;
  readonly to: number;
  /** Rows of `y` that share a matrix. */
  readonly rows: number;
  readonly scale: number;
}

const update = perCell(function update(this: Thread<Update>, y: number[], u: number[], b: number[]) {
  const { rank, to, rows, scale } = this.constants;
  const row = Math.floor(this.thread.x / to);
  const column = this.thread.x - row * to;
  const matrix = Math.floor(row / rows) * rank * to;
  let sum = 0;
  for (let k = 0; k < rank; k++) {
    sum += u[row * rank + k]! * b[matrix + k * to + column]!;
  }
  return y[this.thread.x]! + scale * sum;
});

export const loraUpdateKernel = defineKernel(GPUJS, {
  op: loraUpdateOp,
  build([y, , b], { scale }) {
    const [rank, to] = b!.shape.slice(-2) as [number, number];
    const all = sizeOf(y!.shape) / to;
    const rows = b!.shape.length === 3 ? all / b!.shape[0]! : all;
    return update({
      output: sizeOf(y!.shape),
      constants: { rank, to, rows, scale: scale as number },
      reads: [0, 1, 2],
    });
  },
});

interface Sum {
  readonly K: number;
  readonly from: number;
  readonly rank: number;
  readonly to: number;
}

const factorSum = perCell(function factorSum(this: Thread<Sum>, a: number[], b: number[], w: number[]) {
  const { K, from, rank, to } = this.constants;
  const row = Math.floor(this.thread.x / to);
  const column = this.thread.x - row * to;
  let sum = 0;
  for (let k = 0; k < K; k++) {
    let own = 0;
    for (let r = 0; r < rank; r++) {
      own += a[(k * from + row) * rank + r]! * b[(k * rank + r) * to + column]!;
    }
    sum += w[k]! * own;
  }
  return sum;
});

export const factorSumKernel = defineKernel(GPUJS, {
  op: factorSumOp,
  build([a, b]) {
    const [K, from, rank] = a!.shape as readonly [number, number, number];
    const to = b!.shape[2]!;
    return factorSum({ output: from * to, constants: { K, from, rank, to }, reads: [0, 1, 2] });
  },
});
