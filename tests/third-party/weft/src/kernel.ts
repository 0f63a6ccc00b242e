import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';

interface Rows {
  readonly D: number;
  readonly inverse: number;
}

/** The largest cell of a row. One thread computes one row. */
const peak = perCell(function peak(this: Thread<Rows>, x: number[]) {
  const { D } = this.constants;
  let most = x[this.thread.x * D]!;
  for (let i = 1; i < D; i++) most = Math.max(most, x[this.thread.x * D + i]!);
  return most;
});

/** What the exponentials of a row come to. */
const mass = perCell(function mass(this: Thread<Rows>, x: number[], peaks: number[]) {
  const { D, inverse } = this.constants;
  let sum = 0;
  for (let i = 0; i < D; i++) sum += Math.exp((x[this.thread.x * D + i]! - peaks[this.thread.x]!) * inverse);
  return sum;
});

/** One probability. */
const share = perCell(function share(this: Thread<Rows>, x: number[], peaks: number[], masses: number[]) {
  const { D, inverse } = this.constants;
  const row = Math.floor(this.thread.x / D);
  return Math.exp((x[this.thread.x]! - peaks[row]!) * inverse) / masses[row]!;
});

/** The entropy of a row, from its probabilities. */
const entropy = perCell(function entropy(this: Thread<Rows>, shares: number[]) {
  const { D } = this.constants;
  let sum = 0;
  for (let i = 0; i < D; i++) {
    const p = shares[this.thread.x * D + i]!;
    if (p > 0) sum -= p * Math.log(p);
  }
  return sum;
});

export const easeKernel = defineKernel(GPUJS, {
  op: 'weft.ease',
  accepts: ([x]) => x!.dtype === 'f32' && x!.shape.length > 0,
  build([x], { temperature }: { readonly temperature: number }) {
    const cells = sizeOf(x!.shape);
    const D = x!.shape.at(-1)!;
    const constants = { D, inverse: 1 / temperature };
    const peaks = peak({ output: cells / D, constants, reads: [0] });
    const masses = mass({ output: cells / D, constants, reads: [0, peaks] });
    const shares = share({ output: cells, constants, reads: [0, peaks, masses] });
    return [shares, entropy({ output: cells / D, constants, reads: [shares] })];
  },
});
