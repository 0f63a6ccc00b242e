/**
 * Products in WGSL: a workgroup brings tiles of both operands into its memory, a thread adds up a block of cells in
 * registers. While it does, the next tiles are already on their way into registers. Operands may lie anyhow; which
 * thread loads what follows the axis that lies together, four at once where everything is even in fours.
 */

import type { Product, ProductOperand } from '../lower/lower.js';

export interface WgslProduct {
  readonly code: string;
  readonly groups: readonly [number, number, number];
  /** Where the sum is cut into parts: they lie one after the other, this many, and `sumOfParts` adds them up. */
  readonly parts: number;
}

/**
 * How a product is cut: cells of a workgroup and of a thread along both axes, steps of the sum in one tile. The threads of
 * a workgroup divide the fours of each tile, so that all move as many.
 */
interface Cut {
  readonly tile: readonly [rows: number, columns: number];
  readonly own: readonly [rows: number, columns: number];
  readonly depth: number;
}

/** Products so narrow that tiles would be empty are left to one thread per cell. */
export const tiled = ({ m, n }: Product): boolean => m >= 8 && n >= 8;

/**
 * Larger tiles read less, smaller ones fill more of the device; each is taken where it makes at least so many groups. The
 * order and the counts were found by hand on an H100, over squares of 256 to 4096 and the shapes of a training step; what
 * they come to is in `npm run bench -- --only device`. All fit the 16 KiB that every device has.
 */
const cuts: readonly (Cut & { readonly groups: number })[] = [
  { tile: [128, 128], own: [8, 8], depth: 8, groups: 512 },
  { tile: [128, 64], own: [8, 4], depth: 16, groups: 128 },
  { tile: [64, 64], own: [4, 4], depth: 16, groups: 128 },
  { tile: [32, 32], own: [4, 4], depth: 16, groups: 0 },
];

/** A long sum over few cells, as of a weight's gradient, is cut into parts of at least so many steps. */
const shortest = 256;
const mostParts = 8;

function cutOf({ batch, m, n, k }: Product): Cut & { readonly parts: number } {
  const most = k < 4 * shortest ? 1 : Math.min(mostParts, Math.floor(k / shortest));
  for (const cut of cuts) {
    const [rows, columns] = cut.tile;
    const groups = batch * Math.ceil(m / rows) * Math.ceil(n / columns);
    const parts = Math.min(most, Math.max(1, Math.ceil(cut.groups / groups)));
    const fits = m >= 0.75 * rows && n >= 0.75 * columns;
    if (cut.groups === 0 || (fits && groups * parts >= cut.groups)) return { ...cut, parts };
  }
  return { ...cuts.at(-1)!, parts: 1 };
}

/** Long rows times few columns: one group adds up one cell, and its threads read neighbours. */
export const rowwise = ({ n, k, left, batch, m }: Product): boolean =>
  n < 8 && k >= 64 && left.column === 1 && batch * m * n >= 64;

export function wgslRows({ batch, m, n, k, left, right }: Product): Omit<WgslProduct, 'parts'> {
  const cells = batch * m * n;
  const across = Math.min(cells, 32768);
  return {
    groups: [across, Math.ceil(cells / across), 1],
    code: `
@group(0) @binding(1) var<storage, read> left : array<f32>;
@group(0) @binding(2) var<storage, read> right : array<f32>;
@group(0) @binding(3) var<storage, read_write> result : array<f32>;
var<workgroup> sums : array<f32, 64>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(workgroup_id) group : vec3<u32>, @builtin(local_invocation_index) me : u32) {
  let cell = group.y * ${across}u + group.x;
  let b = cell / ${m * n}u;
  let fromLeft = ${start(left)} + (cell / ${n}u % ${m}u) * ${left.row}u;
  let fromRight = ${start(right)} + (cell % ${n}u) * ${right.column}u;
  var total = 0.0;
  for (var q = me; q < ${k}u; q += 64u) { total += left[fromLeft + q] * right[fromRight + q * ${right.row}u]; }
  sums[me] = total;
  workgroupBarrier();
  for (var half = 32u; half > 0u; half /= 2u) {
    if (me < half) { sums[me] += sums[me + half]; }
    workgroupBarrier();
  }
  if (me == 0u && cell < ${cells}u) { result[cell] = sums[0]; }
}
`,
  };
}

/** One cell of the result is the sum of that cell in each part. */
export function sumOfParts({ batch, m, n }: Product, parts: number): Omit<WgslProduct, 'parts'> {
  const type = (m * n) % 4 === 0 ? 'vec4<f32>' : 'f32';
  const cells = (m * n) / (type === 'f32' ? 1 : 4);
  const groups = Math.ceil(cells / 64);
  const across = Math.min(groups, 32768);
  return {
    groups: [across, Math.ceil(groups / across), batch],
    code: `
@group(0) @binding(1) var<storage, read> parts : array<${type}>;
@group(0) @binding(2) var<storage, read_write> result : array<${type}>;

@compute @workgroup_size(64, 1, 1)
fn main(@builtin(global_invocation_id) at : vec3<u32>) {
  let cell = at.y * ${across * 64}u + at.x;
  if (cell >= ${cells}u) { return; }
  var total = parts[at.z * ${parts * cells}u + cell];
  for (var part = 1u; part < ${parts}u; part++) { total += parts[(at.z * ${parts}u + part) * ${cells}u + cell]; }
  result[at.z * ${cells}u + cell] = total;
}
`,
  };
}

export function wgslProduct(product: Product): WgslProduct {
  const { batch, m, n, k, left, right } = product;
  const cut = cutOf(product);
  const { tile, own, depth } = cut;
  const steps = Math.ceil(k / cut.parts / depth) * depth; // of the sum, in one part
  const parts = Math.ceil(k / steps);
  const [threadsDown, threadsAcross] = [tile[0] / own[0], tile[1] / own[1]];
  const threads = threadsDown * threadsAcross;
  const evenDepth = k % depth === 0;
  // An operand as it is loaded: `along` its side of the result, or along the depth of the sum.
  const [l, r] = [
    loader(
      { name: 'left', operand: left, side: left.row, deep: left.column, length: m, k },
      { size: tile[0], depth, threads, even: evenDepth && m % tile[0] === 0 },
    ),
    loader(
      { name: 'right', operand: right, side: right.column, deep: right.row, length: n, k },
      { size: tile[1], depth, threads, even: evenDepth && n % tile[1] === 0 },
    ),
  ];
  const fours = n % 4 === 0;
  const [ownRows, ownColumns] = [own[0] / 4, own[1] / 4]; // quads
  const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);
  const sums = range(own[0]).flatMap(i => range(ownColumns).map(j => `s${i}_${j}`));
  const step = `
      for (var d = 0u; d < ${depth}u; d++) {
${range(ownRows)
  .map(i => `        let a${i} = tileLeft[d * ${l.stride}u + me.y + ${i * threadsDown}u];`)
  .join('\n')}
${range(ownColumns)
  .map(j => `        let b${j} = tileRight[d * ${r.stride}u + me.x + ${j * threadsAcross}u];`)
  .join('\n')}
${range(own[0])
  .flatMap(i => range(ownColumns).map(j => `        s${i}_${j} += a${i >> 2}.${'xyzw'[i & 3]} * b${j};`))
  .join('\n')}
      }`;
  const write = range(own[0])
    .map(i => {
      const y = `row + 4u * (me.y + ${(i >> 2) * threadsDown}u) + ${i & 3}u`;
      const cells = range(ownColumns).map(j => {
        const x = `column + 4u * (me.x + ${j * threadsAcross}u)`;
        return `  put(group.z, ${y}, ${x}, s${i}_${j});`;
      });
      return cells.join('\n');
    })
    .join('\n');
  const code = `
@group(0) @binding(1) var<storage, read> left : array<${l.type}>;
@group(0) @binding(2) var<storage, read> right : array<${r.type}>;
@group(0) @binding(3) var<storage, read_write> result : array<${fours ? 'vec4<f32>' : 'f32'}>;
var<workgroup> tileLeft : array<vec4<f32>, ${l.cells}>;
var<workgroup> tileRight : array<vec4<f32>, ${r.cells}>;

fn put(b : u32, y : u32, x : u32, cells : vec4<f32>) {
  if (y >= ${m}u) { return; }
  let start = (b * ${m}u + y) * ${n}u + x;
${
  fours
    ? `  if (x < ${n}u) { result[start / 4u] = cells; }`
    : `  for (var c = 0u; c < min(4u, max(x, ${n}u) - x); c++) { result[start + c] = cells[c]; }`
}
}

@compute @workgroup_size(${threadsAcross}, ${threadsDown}, 1)
fn main(@builtin(workgroup_id) group : vec3<u32>, @builtin(local_invocation_id) me : vec3<u32>, @builtin(local_invocation_index) index : u32) {
  let b = ${parts === 1 ? 'group.z' : `group.z / ${parts}u`};
  let row = group.y * ${tile[0]}u;
  let column = group.x * ${tile[1]}u;
  let fromLeft = ${start(left)};
  let fromRight = ${start(right)};
${sums.map(s => `  var ${s} = vec4<f32>();`).join('\n')}
${l.declare('row', 'fromLeft')}
${r.declare('column', 'fromRight')}
  var q = ${parts === 1 ? '0u' : `group.z % ${parts}u * ${steps}u`};
  let end = ${parts === 1 ? `${k}u` : `min(q + ${steps}u, ${k}u)`};
${l.fetch}
${r.fetch}
  loop {
${l.store}
${r.store}
    workgroupBarrier();
    q += ${depth}u;
    if (q < end) {
${l.fetch}
${r.fetch}
    }${step}
    if (q >= end) { break; }
    workgroupBarrier();
  }
${write}
}
`;
  return { code, groups: [Math.ceil(n / tile[1]), Math.ceil(m / tile[0]), batch * parts], parts };
}

interface Source {
  readonly name: 'left' | 'right';
  readonly operand: ProductOperand;
  /** Steps in memory along the side of the result, and along the depth of the sum. */
  readonly side: number;
  readonly deep: number;
  readonly length: number;
  readonly k: number;
}

interface Tile {
  readonly size: number;
  readonly depth: number;
  readonly threads: number;
  /** No tile stands out over the operand. */
  readonly even: boolean;
}

interface Loader {
  readonly type: 'f32' | 'vec4<f32>';
  /** Quads of a row of the tile, and of the whole tile. */
  readonly stride: number;
  readonly cells: number;
  declare(first: string, from: string): string;
  /** The next part of the tile into registers. */
  readonly fetch: string;
  /** From registers into the tile. */
  readonly store: string;
}

/** Moves one operand through registers into the tile, which holds four neighbours of the side in one cell. */
function loader({ name, operand, side, deep, length, k }: Source, { size, depth, threads, even }: Tile): Loader {
  const even4 = [operand.offset, ...operand.batch.map(({ factor }) => factor)].every(x => x % 4 === 0);
  const along =
    side === 1 && even4 && deep % 4 === 0 && length % 4 === 0
      ? 'side'
      : deep === 1 && even4 && side % 4 === 0 && k % 4 === 0
        ? 'depth'
        : 'cells';
  const quads = size / 4;
  // A cell more in each row of the tile keeps writes across it in different banks.
  const stride = along === 'depth' ? quads + 1 : quads;
  const rows = Array.from({ length: (size * depth) / 4 / threads }, (_, i) => i);
  const tag = name === 'left' ? 'L' : 'R';
  // Which part of the tile a thread moves: `d` down the depth, `g` the quad of the side, or the other way around.
  const place = (i: number): string => {
    const e = `${name}E${i}`;
    if (along === 'depth')
      return `let ${tag}g${i} = ${e} / ${depth / 4}u; let ${tag}d${i} = 4u * (${e} % ${depth / 4}u);`;
    return deep === 1
      ? `let ${tag}d${i} = ${e} % ${depth}u; let ${tag}g${i} = ${e} / ${depth}u;`
      : `let ${tag}g${i} = ${e} % ${quads}u; let ${tag}d${i} = ${e} / ${quads}u;`;
  };
  const inside = (s: string, d: string): string => (even ? '' : `${s} < ${length}u && ${d} < ${k}u`);
  // Without a branch: a read beyond the operand is clamped by the device and then left out.
  const guarded = (condition: string, value: string, zero: string): string =>
    condition === '' ? value : `select(${zero}, ${value}, ${condition})`;
  const fetch = rows
    .map(i => {
      const d = `(q + ${tag}d${i})`;
      const register = `${tag}v${i}`;
      if (along === 'side') {
        const s = `${tag}first + 4u * ${tag}g${i}`;
        return `      ${register} = ${guarded(inside(s, d), `${name}[(${tag}from + ${s} + ${d} * ${deep}u) / 4u]`, 'vec4<f32>()')};`;
      }
      if (along === 'depth') {
        const s = `${tag}first + ${tag}g${i}`;
        return `      ${register} = ${guarded(inside(s, d), `${name}[(${tag}from + (${s}) * ${side}u + ${d}) / 4u]`, 'vec4<f32>()')};`;
      }
      return ['x', 'y', 'z', 'w']
        .map((c, j) => {
          const s = `${tag}first + 4u * ${tag}g${i} + ${j}u`;
          return `      ${register}.${c} = ${guarded(inside(s, d), `${name}[${tag}from + (${s}) * ${side}u + ${d} * ${deep}u]`, '0.0')};`;
        })
        .join('\n');
    })
    .join('\n');
  const tileName = name === 'left' ? 'tileLeft' : 'tileRight';
  return {
    type: along === 'cells' ? 'f32' : 'vec4<f32>',
    stride,
    cells: stride * depth,
    declare: (first, from) =>
      [
        `  let ${tag}first = ${first};`,
        `  let ${tag}from = ${from};`,
        ...rows.map(i => `  let ${name}E${i} = index + ${i * threads}u; ${place(i)} var ${tag}v${i} = vec4<f32>();`),
      ].join('\n'),
    fetch,
    store: rows
      .map(i =>
        along === 'depth'
          ? ['x', 'y', 'z', 'w']
              .map(
                (c, j) =>
                  `      ${tileName}[(${tag}d${i} + ${j}u) * ${stride}u + ${tag}g${i} / 4u][${tag}g${i} % 4u] = ${tag}v${i}.${c};`,
              )
              .join('\n')
          : `      ${tileName}[${tag}d${i} * ${stride}u + ${tag}g${i}] = ${tag}v${i};`,
      )
      .join('\n'),
  };
}

const start = ({ offset, batch }: ProductOperand): string =>
  [
    `${offset}u`,
    ...batch.map(
      ({ factor, divisor, modulus }) => `${factor}u * (b / ${divisor}u${modulus === null ? '' : ` % ${modulus}u`})`,
    ),
  ].join(' + ');
