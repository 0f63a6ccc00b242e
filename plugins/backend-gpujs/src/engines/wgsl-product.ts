/**
 * Products in WGSL: a workgroup brings tiles of both operands into its memory, a thread adds up 4 x 4 cells in
 * registers. Operands may lie anyhow; which thread loads what follows the axis that lies together.
 */

import type { Product, ProductOperand } from '../lower/lower.js';

export interface WgslProduct {
  readonly code: string;
  readonly groups: readonly [number, number, number];
}

/** Products so narrow that tiles would be empty are left to one thread per cell. */
export const tiled = ({ m, n }: Product): boolean => m >= 8 && n >= 8;

const own = 4; // cells of a thread along each axis

export function wgslProduct({ batch, m, n, k, left, right }: Product): WgslProduct {
  // Large tiles read less; small ones fill more of the device.
  const threads = m >= 48 && n >= 48 && batch * Math.ceil(m / 64) * Math.ceil(n / 64) >= 4 ? 16 : 8;
  const tile = threads * own;
  const depth = 16;
  const group = threads * threads;
  const code = `
@group(0) @binding(1) var<storage, read> left : array<f32>;
@group(0) @binding(2) var<storage, read> right : array<f32>;
@group(0) @binding(3) var<storage, read_write> result : array<f32>;
var<workgroup> tileL : array<f32, ${tile * depth}>;
var<workgroup> tileR : array<f32, ${tile * depth}>;

@compute @workgroup_size(${threads}, ${threads}, 1)
fn main(@builtin(workgroup_id) at : vec3<u32>, @builtin(local_invocation_id) me : vec3<u32>, @builtin(local_invocation_index) index : u32) {
  let b = at.z;
  let row = at.y * ${tile}u;
  let column = at.x * ${tile}u;
  let fromL = ${start(left)};
  let fromR = ${start(right)};
  var sums : array<vec4<f32>, 4>;
  for (var q = 0u; q < ${k}u; q += ${depth}u) {
    for (var e = index; e < ${tile * depth}u; e += ${group}u) {
      ${spread(left.column === 1, depth, tile, 'i', 'd')}
      let inside = row + i < ${m}u && q + d < ${k}u;
      tileL[d * ${tile}u + i] = select(0.0, left[select(0u, fromL + (row + i) * ${left.row}u + (q + d) * ${left.column}u, inside)], inside);
    }
    for (var e = index; e < ${tile * depth}u; e += ${group}u) {
      ${spread(right.row === 1 && right.column !== 1, depth, tile, 'j', 'd')}
      let inside = column + j < ${n}u && q + d < ${k}u;
      tileR[d * ${tile}u + j] = select(0.0, right[select(0u, fromR + (q + d) * ${right.row}u + (column + j) * ${right.column}u, inside)], inside);
    }
    workgroupBarrier();
    for (var d = 0u; d < ${depth}u; d++) {
      let l = d * ${tile}u + me.y * ${own}u;
      let r = d * ${tile}u + me.x * ${own}u;
      let across = vec4<f32>(tileR[r], tileR[r + 1u], tileR[r + 2u], tileR[r + 3u]);
      sums[0] += tileL[l] * across;
      sums[1] += tileL[l + 1u] * across;
      sums[2] += tileL[l + 2u] * across;
      sums[3] += tileL[l + 3u] * across;
    }
    workgroupBarrier();
  }
  for (var i = 0u; i < ${own}u; i++) {
    let y = row + me.y * ${own}u + i;
    if (y >= ${m}u) { break; }
    for (var j = 0u; j < ${own}u; j++) {
      let x = column + me.x * ${own}u + j;
      if (x < ${n}u) { result[(b * ${m}u + y) * ${n}u + x] = sums[i][j]; }
    }
  }
}
`;
  return { code, groups: [Math.ceil(n / tile), Math.ceil(m / tile), batch] };
}

/** Neighbouring threads load what lies together: along the depth, or along the tile. */
const spread = (alongDepth: boolean, depth: number, tile: number, i: string, d: string): string =>
  alongDepth
    ? `let ${d} = e % ${depth}u; let ${i} = e / ${depth}u;`
    : `let ${i} = e % ${tile}u; let ${d} = e / ${tile}u;`;

const start = ({ offset, batch }: ProductOperand): string =>
  [
    `${offset}u`,
    ...batch.map(
      ({ factor, divisor, modulus }) => `${factor}u * (b / ${divisor}u${modulus === null ? '' : ` % ${modulus}u`})`,
    ),
  ].join(' + ');
