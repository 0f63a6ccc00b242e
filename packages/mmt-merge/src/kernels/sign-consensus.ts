/** Election of signs for gpu.js: vote and sum in one pass over the inputs, for each of the two outputs. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { signConsensusOp } from '../parts/consensus.js';

/** Inputs that one launch can read beside the weights. More of them go through the op's decomposition. */
const most = 6;

interface Election {
  /** How many inputs are meant; the others are there because a kernel's arguments are fixed. */
  readonly count: number;
  /** 1 adds what those who agree say; 0 counts their weights. */
  readonly values: number;
}

const elect = perCell(function elect(
  this: Thread<Election>,
  a: number[],
  b: number[],
  c: number[],
  d: number[],
  e: number[],
  f: number[],
  weights: number[],
) {
  const { count, values } = this.constants;
  const at = this.thread.x;
  const sayA = weights[0]! * a[at]!;
  let sayB = 0;
  let sayC = 0;
  let sayD = 0;
  let sayE = 0;
  let sayF = 0;
  if (count > 1) sayB = weights[1]! * b[at]!;
  if (count > 2) sayC = weights[2]! * c[at]!;
  if (count > 3) sayD = weights[3]! * d[at]!;
  if (count > 4) sayE = weights[4]! * e[at]!;
  if (count > 5) sayF = weights[5]! * f[at]!;
  let sign = 1;
  if (sayA + sayB + sayC + sayD + sayE + sayF < 0) sign = -1;
  let heard = 0;
  if (sayA * sign > 0) heard = heard + (values > 0 ? sayA : weights[0]!);
  if (count > 1 && sayB * sign > 0) heard = heard + (values > 0 ? sayB : weights[1]!);
  if (count > 2 && sayC * sign > 0) heard = heard + (values > 0 ? sayC : weights[2]!);
  if (count > 3 && sayD * sign > 0) heard = heard + (values > 0 ? sayD : weights[3]!);
  if (count > 4 && sayE * sign > 0) heard = heard + (values > 0 ? sayE : weights[4]!);
  if (count > 5 && sayF * sign > 0) heard = heard + (values > 0 ? sayF : weights[5]!);
  return heard;
});

export const signConsensusKernel = defineKernel(GPUJS, {
  op: signConsensusOp,
  accepts: types => types.length - 1 <= most,
  build(types) {
    const count = types.length - 1;
    const reads = [...Array.from({ length: most }, (_, k) => Math.min(k, count - 1)), count];
    const output = sizeOf(types[0]!.shape);
    return [
      elect({ output, constants: { count, values: 1 }, reads }),
      elect({ output, constants: { count, values: 0 }, reads }),
    ];
  },
});
