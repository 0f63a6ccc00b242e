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
  const quads = tile / 4;
  const code = `
@group(0) @binding(1) var<storage, read> left : array<f32>;
@group(0) @binding(2) var<storage, read> right : array<f32>;
@group(0) @binding(3) var<storage, read_write> result : array<f32>;
var<workgroup> tileL : array<vec4<f32>, ${quads * depth}>;
var<workgroup> tileR : array<vec4<f32>, ${quads * depth}>;

fn leftAt(start : u32, i : u32, d : u32) -> f32 {
  if (i < ${m}u && d < ${k}u) { return left[start + i * ${left.row}u + d * ${left.column}u]; }
  return 0.0;
}
fn rightAt(start : u32, d : u32, j : u32) -> f32 {
  if (j < ${n}u && d < ${k}u) { return right[start + d * ${right.row}u + j * ${right.column}u]; }
  return 0.0;
}

@compute @workgroup_size(${threads}, ${threads}, 1)
fn main(@builtin(workgroup_id) at : vec3<u32>, @builtin(local_invocation_id) me : vec3<u32>, @builtin(local_invocation_index) index : u32) {
  let b = at.z;
  let row = at.y * ${tile}u;
  let column = at.x * ${tile}u;
  let fromL = ${start(left)};
  let fromR = ${start(right)};
  var sums : array<vec4<f32>, 4>;
  for (var q = 0u; q < ${k}u; q += ${depth}u) {
    for (var e = index; e < ${quads * depth}u; e += ${group}u) {
      ${spread(left.column === 1, depth, quads)}
      let i = row + 4u * g;
      tileL[d * ${quads}u + g] = vec4<f32>(leftAt(fromL, i, q + d), leftAt(fromL, i + 1u, q + d), leftAt(fromL, i + 2u, q + d), leftAt(fromL, i + 3u, q + d));
    }
    for (var e = index; e < ${quads * depth}u; e += ${group}u) {
      ${spread(right.row === 1 && right.column !== 1, depth, quads)}
      let j = column + 4u * g;
      tileR[d * ${quads}u + g] = vec4<f32>(rightAt(fromR, q + d, j), rightAt(fromR, q + d, j + 1u), rightAt(fromR, q + d, j + 2u), rightAt(fromR, q + d, j + 3u));
    }
    workgroupBarrier();
    for (var d = 0u; d < ${depth}u; d++) {
      let down = tileL[d * ${quads}u + me.y];
      let across = tileR[d * ${quads}u + me.x];
      sums[0] += down.x * across;
      sums[1] += down.y * across;
      sums[2] += down.z * across;
      sums[3] += down.w * across;
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

/** Neighbouring threads load what lies together: along the depth, or along the tile. A thread writes four cells at once. */
const spread = (alongDepth: boolean, depth: number, quads: number): string =>
  alongDepth ? `let d = e % ${depth}u; let g = e / ${depth}u;` : `let g = e % ${quads}u; let d = e / ${quads}u;`;

const start = ({ offset, batch }: ProductOperand): string =>
  [
    `${offset}u`,
    ...batch.map(
      ({ factor, divisor, modulus }) => `${factor}u * (b / ${divisor}u${modulus === null ? '' : ` % ${modulus}u`})`,
    ),
  ].join(' + ');
