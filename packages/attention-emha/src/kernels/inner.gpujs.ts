/** `emha.inner` for gpu.js: keys are mixed first, so neither the maps of all pairs of heads nor the hidden ones are kept. */

import { defineKernel, type TensorType } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { innerOp } from '../ops/inner.js';

interface Sizes {
  readonly H: number;
  readonly G: number;
  readonly T: number;
  readonly S: number;
  readonly d: number;
  /** Hidden maps of a query head. */
  readonly N: number;
}

/** The keys that one hidden map is a product with. @shape k [B, G, S, d], w [H, N, 1, G] -> [B, H, N, d, S], keys beside each other */
const mixedKeys = perCell(function mixedKeys(this: Thread<Sizes>, k: number[], w: number[]) {
  const { H, G, S, d, N } = this.constants;
  const s = this.thread.x % S;
  const c = Math.floor(this.thread.x / S) % d;
  const map = Math.floor(this.thread.x / (S * d)) % (H * N);
  const b = Math.floor(this.thread.x / (S * d * H * N));
  let sum = 0;
  for (let j = 0; j < G; j++) sum += w[map * G + j]! * k[((b * G + j) * S + s) * d + c]!;
  return sum;
});

/** One cell of the mixed maps: the hidden cells behind it live in a register. @shape -> [B, H, T, S] */
const innerMaps = perCell(function innerMaps(
  this: Thread<Sizes>,
  q: number[],
  keys: number[],
  bias: number[],
  reduce: number[],
  reduceBias: number[],
) {
  const { H, T, S, d, N } = this.constants;
  const s = this.thread.x % S;
  const row = Math.floor(this.thread.x / S); // of [B, H, T]
  const head = Math.floor(row / T); // of [B, H]
  const h = head % H;
  let sum = reduceBias[h]!;
  for (let n = 0; n < N; n++) {
    let hidden = bias[h * N + n]!;
    let at = (head * N + n) * d * S + s;
    for (let c = 0; c < d; c++) {
      hidden += q[row * d + c]! * keys[at]!;
      at += S;
    }
    sum += reduce[h * N + n]! * Math.max(hidden, 0);
  }
  return sum;
});

const cellsMost = 2 ** 24;

/** One group for each query head, kernels of 1, nothing to zero-fill. */
function sizesOf(types: readonly TensorType[]): (Sizes & { readonly B: number }) | null {
  const [q, k, expand, , reduce] = types;
  const [B, H, T, d] = q!.shape as readonly [number, number, number, number];
  const [, G, S] = k!.shape as readonly [number, number, number, number];
  const [groups, N, kernel] = expand!.shape as readonly [number, number, number, number];
  const lawful = types.length === 6 && groups === H && kernel === 1 && reduce!.shape[2] === 1;
  return lawful && Math.max(B * H * T * S, B * H * N * S * d) <= cellsMost ? { B, H, G, T, S, d, N } : null;
}

export const innerGpujs = defineKernel(GPUJS, {
  op: innerOp,
  accepts: (types, { fill }) => fill === 'none' && sizesOf(types) !== null,
  build(types) {
    const { B, ...constants } = sizesOf(types)!;
    const { H, T, S, d, N } = constants;
    const keys = mixedKeys({ output: B * H * N * S * d, constants, reads: [1, 2] });
    return innerMaps({ output: B * H * T * S, constants, reads: [0, keys, 3, 4, 5] });
  },
});
