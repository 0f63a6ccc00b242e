/** The clipped objective and its gradient for gpu.js: one launch each, nothing stored in between. */

import { defineKernel, sizeOf, type TensorType } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { clippedGradientOp, clippedOp, type ClipAttrs } from '../ops/clipped.js';

interface Range {
  readonly low: number;
  readonly high: number;
  /** 0 for none. */
  readonly dual: number;
}

const loss = perCell(function loss(this: Thread<Range>, policy: number[], old: number[], advantages: number[]) {
  const { low, high, dual } = this.constants;
  const i = this.thread.x;
  const advantage = advantages[i]!;
  const ratio = Math.exp(Math.min(20, Math.max(-20, policy[i]! - old[i]!)));
  let worse = Math.max(-advantage * ratio, -advantage * Math.min(high, Math.max(low, ratio)));
  if (dual > 0) {
    if (advantage < 0) {
      worse = Math.min(worse, -advantage * dual);
    }
  }
  return worse;
});

const slope = perCell(function slope(
  this: Thread<Range>,
  policy: number[],
  old: number[],
  advantages: number[],
  ct: number[],
) {
  const { low, high, dual } = this.constants;
  const i = this.thread.x;
  const advantage = advantages[i]!;
  const gap = policy[i]! - old[i]!;
  const ratio = Math.exp(Math.min(20, Math.max(-20, gap)));
  const free = -advantage * ratio;
  let moves = free * ct[i]!;
  if (-advantage * Math.min(high, Math.max(low, ratio)) > free) {
    moves = 0;
  }
  if (Math.abs(gap) > 20) {
    moves = 0;
  }
  if (dual > 0) {
    if (advantage < 0) {
      if (free > -advantage * dual) {
        moves = 0;
      }
    }
  }
  return moves;
});

const at = (type: TensorType, { clipLow, clipHigh, dualClip }: ClipAttrs) => ({
  output: sizeOf(type.shape),
  constants: { low: 1 - clipLow, high: 1 + clipHigh, dual: dualClip ?? 0 },
});

export const clippedKernel = defineKernel(GPUJS, {
  op: clippedOp,
  build: ([type], attrs) => loss(at(type!, attrs as ClipAttrs)),
});

export const clippedGradientKernel = defineKernel(GPUJS, {
  op: clippedGradientOp,
  build: ([type], attrs) => slope(at(type!, attrs as ClipAttrs)),
});
