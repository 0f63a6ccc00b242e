/** The feed-forward of every head with residual and gate for gpu.js: two launches. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { feedHeadsOp } from '../ops/feed-heads.js';

/** Width of a head, and of its hidden cells. */
interface Widths {
  readonly d: number;
  readonly R: number;
}

const raise = perCell(function raise(this: Thread<Widths>, x: number[], w: number[], bias: number[]) {
  const { d, R } = this.constants;
  const n = Math.floor(this.thread.x / R);
  const j = this.thread.x - n * R;
  let sum = bias[j]!;
  let cell = n * d;
  let weight = j;
  for (let i = 0; i < d; i++) {
    sum += x[cell]! * w[weight]!;
    cell += 1;
    weight += R;
  }
  return Math.max(sum, 0);
});

const raiseKept = perCell(function raiseKept(
  this: Thread<Widths>,
  x: number[],
  w: number[],
  bias: number[],
  kept: number[],
) {
  const { d, R } = this.constants;
  const n = Math.floor(this.thread.x / R);
  const j = this.thread.x - n * R;
  let sum = bias[j]!;
  let cell = n * d;
  let weight = j;
  for (let i = 0; i < d; i++) {
    sum += x[cell]! * w[weight]!;
    cell += 1;
    weight += R;
  }
  return Math.max(sum, 0) * kept[this.thread.x]!;
});

/** What the gate multiplies: the lowered hidden cells and the residual. */
const fed = perCell(function fed(this: Thread<Widths>, hidden: number[], w: number[], bias: number[], x: number[]) {
  const { d, R } = this.constants;
  const n = Math.floor(this.thread.x / d);
  const i = this.thread.x - n * d;
  let sum = bias[i]! + x[this.thread.x]!;
  let cell = n * R;
  let weight = i;
  for (let j = 0; j < R; j++) {
    sum += hidden[cell]! * w[weight]!;
    cell += 1;
    weight += d;
  }
  return sum;
});

/** A gate that is shut costs one comparison. */
const gated = perCell(function gated(
  this: Thread<Widths>,
  hidden: number[],
  w: number[],
  bias: number[],
  x: number[],
  gate: number[],
) {
  const { d, R } = this.constants;
  const open = gate[this.thread.x]!;
  let sum = 0;
  if (open > 0) {
    const n = Math.floor(this.thread.x / d);
    const i = this.thread.x - n * d;
    sum = bias[i]! + x[this.thread.x]!;
    let cell = n * R;
    let weight = i;
    for (let j = 0; j < R; j++) {
      sum += hidden[cell]! * w[weight]!;
      cell += 1;
      weight += d;
    }
    sum *= open;
  }
  return sum;
});

export const feedHeadsKernel = defineKernel(GPUJS, {
  op: feedHeadsOp,
  build(types) {
    const cells = sizeOf(types[0]!.shape);
    const [d, R] = types[2]!.shape as readonly [number, number];
    const up = { output: (cells / d) * R, constants: { d, R } };
    const hidden = types.length === 7 ? raiseKept({ ...up, reads: [0, 2, 3, 6] }) : raise({ ...up, reads: [0, 2, 3] });
    const down = { output: cells, constants: { d, R } };
    return [gated({ ...down, reads: [hidden, 4, 5, 0, 1] }), hidden, fed({ ...down, reads: [hidden, 4, 5, 0] })];
  },
});
