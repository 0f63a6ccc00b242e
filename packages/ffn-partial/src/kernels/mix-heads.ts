/** The network over heads for gpu.js: two launches, biases and ReLU inside them. */

import { defineKernel } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { mixHeadsOp } from '../ops/mix-heads.js';

/** Heads in and out, and the places of a map. */
interface Places {
  readonly from: number;
  readonly to: number;
  readonly M: number;
}

/** One hidden cell: relu of a weighted sum over heads. */
const raise = perCell(function raise(this: Thread<Places>, x: number[], w: number[], bias: number[]) {
  const { from, to, M } = this.constants;
  const row = Math.floor(this.thread.x / M);
  const m = this.thread.x - row * M;
  const b = Math.floor(row / to);
  const j = row - b * to;
  let sum = bias[j]!;
  let cell = b * from * M + m;
  let weight = j;
  for (let g = 0; g < from; g++) {
    sum += w[weight]! * x[cell]!;
    weight += to;
    cell += M;
  }
  return Math.max(sum, 0);
});

const raiseKept = perCell(function raiseKept(
  this: Thread<Places>,
  x: number[],
  w: number[],
  bias: number[],
  kept: number[],
) {
  const { from, to, M } = this.constants;
  const row = Math.floor(this.thread.x / M);
  const m = this.thread.x - row * M;
  const b = Math.floor(row / to);
  const j = row - b * to;
  let sum = bias[j]!;
  let cell = b * from * M + m;
  let weight = j;
  for (let g = 0; g < from; g++) {
    sum += w[weight]! * x[cell]!;
    weight += to;
    cell += M;
  }
  return Math.max(sum, 0) * kept[this.thread.x]!;
});

/** One result: a weighted sum over hidden heads. */
const lower = perCell(function lower(this: Thread<Places>, hidden: number[], w: number[], bias: number[]) {
  const { from, to, M } = this.constants;
  const row = Math.floor(this.thread.x / M);
  const m = this.thread.x - row * M;
  const b = Math.floor(row / to);
  const k = row - b * to;
  let sum = bias[k]!;
  let cell = b * from * M + m;
  let weight = k;
  for (let j = 0; j < from; j++) {
    sum += w[weight]! * hidden[cell]!;
    weight += to;
    cell += M;
  }
  return sum;
});

export const mixHeadsKernel = defineKernel(GPUJS, {
  op: mixHeadsOp,
  build(types) {
    const [B, G, M] = types[0]!.shape as readonly [number, number, number];
    const [J, K] = types[3]!.shape as readonly [number, number];
    const up = { output: B * J * M, constants: { from: G, to: J, M } };
    const hidden = types.length === 6 ? raiseKept({ ...up, reads: [0, 1, 2, 5] }) : raise({ ...up, reads: [0, 1, 2] });
    return [lower({ output: B * K * M, constants: { from: J, to: K, M }, reads: [hidden, 3, 4] }), hidden];
  },
});
