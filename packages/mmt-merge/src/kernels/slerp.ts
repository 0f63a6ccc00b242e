/** Interpolation on a sphere for gpu.js: the factors of both sides once for each angle, then one sum for each cell. */

import { defineKernel, sizeOf } from '@heddle/core';
import { GPUJS, perCell, type Thread } from '@heddle/backend-gpujs/kernel';
import { slerpOp } from '../parts/spherical.js';

/**
 * The polynomial of `arccos` in parts/angle.ts, and Taylor's of the sine, off by at most 6e-8 within a quarter turn: devices promise
 * little of an `acos` and a `sin` of their own (WGSL: 2^-11).
 */
const factors = perCell(function factors(this: Thread<{ t: number; limit: number; angles: number }>, cosine: number[]) {
  const { t, limit, angles } = this.constants;
  let place = this.thread.x;
  let share = 1 - t; // of the left side; those of the right follow
  if (place >= angles) {
    place = place - angles;
    share = t;
  }
  const c = Math.max(-1, Math.min(1, cosine[place]!));
  const size = Math.abs(c);
  let factor = share;
  if (size <= limit) {
    let angle = -0.0012624911;
    angle = angle * size + 0.0066700901;
    angle = angle * size - 0.0170881256;
    angle = angle * size + 0.030891881;
    angle = angle * size - 0.0501743046;
    angle = angle * size + 0.0889789874;
    angle = angle * size - 0.2145988016;
    angle = angle * size + 1.570796305;
    angle = angle * Math.sqrt(1 - size);
    if (c < 0) angle = Math.PI - angle;
    let turn = share * angle;
    turn = turn - 2 * Math.PI * Math.round(turn / (2 * Math.PI));
    if (turn > Math.PI / 2) turn = Math.PI - turn;
    if (turn < -Math.PI / 2) turn = -Math.PI - turn;
    const square = turn * turn;
    let sine = -2.505210838544172e-8;
    sine = sine * square + 0.0000027557319223985893;
    sine = sine * square - 0.0001984126984126984;
    sine = sine * square + 0.008333333333333333;
    sine = sine * square - 0.16666666666666666;
    sine = sine * square * turn + turn;
    factor = sine / Math.sqrt((1 - c) * (1 + c));
  }
  return factor;
});

interface Way {
  readonly columns: number;
  readonly angles: number;
  /** How far apart the angles of neighbouring rows and columns lie: 0 where they share one. */
  readonly byRow: number;
  readonly byColumn: number;
}

const interpolate = perCell(function interpolate(this: Thread<Way>, x: number[], z: number[], factor: number[]) {
  const { columns, angles, byRow, byColumn } = this.constants;
  const row = Math.floor((this.thread.x + 0.5) / columns);
  const place = row * byRow + (this.thread.x - row * columns) * byColumn;
  return factor[place]! * x[this.thread.x]! + factor[place + angles]! * z[this.thread.x]!;
});

export const slerpKernel = defineKernel(GPUJS, {
  op: slerpOp,
  // One cosine for all, for each row, or for each column. Rows are found by division, which is exact below 2^20.
  accepts([x, , cosine]) {
    const [shape, angles] = [x!.shape, cosine!.shape];
    const [lead, last] = [angles.slice(0, -1), angles.at(-1)];
    const shared = angles.every(length => length === 1);
    const rows = last === 1 && angles.length === shape.length && lead.every((length, axis) => length === shape[axis]);
    const columns = last === shape.at(-1) && lead.every(length => length === 1);
    return shared || ((rows || columns) && sizeOf(shape) < 2 ** 20);
  },
  build([x, , cosine], { t, limit }: { readonly t: number; readonly limit: number }) {
    const output = sizeOf(x!.shape);
    const angles = sizeOf(cosine!.shape);
    const shared = angles === 1;
    const columns = shared ? output : x!.shape.at(-1)!;
    const byColumn = !shared && cosine!.shape.at(-1) === columns && columns > 1 ? 1 : 0;
    const both = factors({ output: 2 * angles, constants: { t, limit, angles }, reads: [2] });
    return interpolate({
      output,
      constants: { columns, angles, byRow: shared || byColumn ? 0 : 1, byColumn },
      reads: [0, 1, both],
    });
  },
});
