/** Masks by threshold for gpu.js. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { magnitudeMaskOp } from '../parts/select.js';

const mask = perCell(function mask(this: Thread, x: number[], threshold: number[], place: number[]) {
  const value = x[this.thread.x]!;
  if (value > threshold[0]!) return 1;
  if (value < threshold[0]!) return 0;
  return this.thread.x < place[0]! ? 1 : 0;
});

export const magnitudeMaskKernel = defineKernel(GPUJS, {
  op: magnitudeMaskOp,
  build: ([x]) => mask({ output: sizeOf(x!.shape) }),
});
