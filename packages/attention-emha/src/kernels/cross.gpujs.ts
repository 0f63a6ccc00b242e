/** `emha.cross` for gpu.js: the hidden maps are never stored. */

import { defineKernel } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { crossOp } from '../ops/cross.js';

interface Sizes {
  readonly H: number;
  /** Cells of one map. */
  readonly cells: number;
  /** Heads, and hidden maps, of one group. */
  readonly into: number;
  readonly N: number;
}

/** One cell of one head: through every hidden map of its group. @shape -> [B, H, T * S] */
const crossMaps = perCell(function crossMaps(
  this: Thread<Sizes>,
  maps: number[],
  expand: number[],
  expandBias: number[],
  reduce: number[],
  reduceBias: number[],
) {
  const { H, cells, into, N } = this.constants;
  const cell = this.thread.x % cells;
  const head = Math.floor(this.thread.x / cells); // of [B, H]
  const h = head % H;
  const group = Math.floor(h / into);
  const first = head - h + group * into; // the group's first map
  let sum = reduceBias[h]!;
  for (let n = 0; n < N; n++) {
    let hidden = expandBias[group * N + n]!;
    let at = first * cells + cell;
    for (let c = 0; c < into; c++) {
      hidden += expand[(group * N + n) * into + c]! * maps[at]!;
      at += cells;
    }
    sum += reduce[h * N + n]! * Math.max(hidden, 0);
  }
  return sum;
});

export const crossGpujs = defineKernel(GPUJS, {
  op: crossOp,
  accepts: ([maps, expand, , reduce], { fill }) =>
    !fill && expand!.shape[2] === 1 && reduce!.shape[2] === 1 && maps!.shape.reduce((n, d) => n * d, 1) <= 2 ** 24,
  build([maps, expand]) {
    const [B, H, T, S] = maps!.shape as readonly [number, number, number, number];
    const [, N, , into] = expand!.shape as readonly [number, number, number, number];
    return crossMaps({ output: B * H * T * S, constants: { H, cells: T * S, into, N } });
  },
});
