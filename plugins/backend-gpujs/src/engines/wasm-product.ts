/**
 * Products on WebAssembly: operands are packed into panels, of which a module with SIMD makes tiles of 4 rows and 8
 * columns (the scheme of Goto and van de Geijn 2008). Strides are a matter of packing, so operands may lie anyhow.
 */

import type { Pass, Product, ProductOperand } from '../lower/lower.js';

const [rows, columns] = [4, 8]; // of a tile: 8 sums, 2 columns' worth of the right operand and 1 factor in 16 registers
const block = { m: 128, k: 256 }; // rows and depth whose packed left operand (128 kB) stays in the second cache

const up = (n: number, to: number): number => Math.ceil(n / to) * to;

/** Memory for panels and for results whose edges stand out. */
export function scratchBytes(passes: readonly Pass[]): number {
  let bytes = 0;
  for (const pass of passes) {
    if (pass.kind === 'matmul') bytes = Math.max(bytes, sizes(pass).end);
  }
  return bytes;
}

function sizes({ m, n }: Product): { readonly right: number; readonly result: number; readonly end: number } {
  const right = 4 * block.m * block.k;
  const result = right + 4 * block.k * up(n, columns);
  const even = m % rows === 0 && n % columns === 0;
  return { right, result, end: result + (even ? 0 : 4 * up(m, rows) * up(n, columns)) };
}

/** @param at byte offset of a place by its id */
export async function productModule(
  memory: WebAssembly.Memory,
  at: (id: number) => number,
  scratch: number,
  passes: readonly Pass[],
): Promise<(product: Product) => void> {
  if (!passes.some(({ kind }) => kind === 'matmul')) return () => {};
  const { instance } = await WebAssembly.instantiate(tiles(), { env: { memory } });
  const gemm = instance.exports['gemm'] as (...args: number[]) => void;
  const f = new Float32Array(memory.buffer);
  return product => {
    const { batch, m, n, k, left, right, output } = product;
    const where = sizes(product);
    const even = m % rows === 0 && n % columns === 0;
    const pitch = even ? n : up(n, columns);
    const [from, to] = [scratch / 4, (scratch + where.right) / 4];
    for (let b = 0; b < batch; b++) {
      const [a, c] = [at(left.from.id) / 4 + start(left, b), at(right.from.id) / 4 + start(right, b)];
      const out = at(output.id) + 4 * b * m * n;
      const target = even ? out : scratch + where.result;
      for (let q = 0; q < k; q += block.k) {
        const depth = Math.min(block.k, k - q);
        pack(f, to, c + q * right.row, {
          long: n,
          longStep: right.column,
          depth,
          depthStep: right.row,
          width: columns,
        });
        for (let i = 0; i < m; i += block.m) {
          const high = Math.min(block.m, m - i);
          pack(f, from, a + i * left.row + q * left.column, {
            long: high,
            longStep: left.row,
            depth,
            depthStep: left.column,
            width: rows,
          });
          gemm(
            scratch,
            scratch + where.right,
            target + 4 * i * pitch,
            up(high, rows) / rows,
            up(n, columns) / columns,
            depth,
            4 * pitch,
            Number(q > 0),
          );
        }
      }
      if (!even) {
        for (let i = 0; i < m; i++) {
          const row = target / 4 + i * pitch;
          f.copyWithin(out / 4 + i * n, row, row + n);
        }
      }
    }
  };
}

function start({ offset, batch }: ProductOperand, b: number): number {
  let place = offset;
  for (const { factor, divisor, modulus } of batch) {
    const whole = Math.floor(b / divisor);
    place += factor * (modulus === null ? whole : whole % modulus);
  }
  return place;
}

interface Panel {
  /** Rows of the left or columns of the right operand, and how far apart they are. */
  readonly long: number;
  readonly longStep: number;
  readonly depth: number;
  readonly depthStep: number;
  /** How many lie side by side in a panel; the last one is filled up with zeros. */
  readonly width: number;
}

function pack(f: Float32Array, to: number, from: number, { long, longStep, depth, depthStep, width }: Panel): void {
  for (let l = 0; l < long; l += width, to += width * depth) {
    const wide = Math.min(width, long - l);
    if (wide < width) f.fill(0, to, to + width * depth);
    if (longStep === 1) {
      for (let q = 0, at = from + l, o = to; q < depth; q++, at += depthStep, o += width) {
        for (let w = 0; w < wide; w++) f[o + w] = f[at + w]!;
      }
      continue;
    }
    for (let w = 0; w < wide; w++) {
      for (let q = 0, at = from + (l + w) * longStep, o = to + w; q < depth; q++, at += depthStep, o += width)
        f[o] = f[at]!;
    }
  }
}

// ---- the module, written in bytes: WebAssembly core specification 2.0, sections 5.4 and 5.5 ----

const signed = (n: number): number[] => {
  const bytes: number[] = [];
  for (;;) {
    const low = n & 0x7f;
    n >>= 7;
    if ((n === 0 && !(low & 0x40)) || (n === -1 && low & 0x40)) return [...bytes, low];
    bytes.push(low | 0x80);
  }
};
const unsigned = (n: number): number[] => (n < 128 ? [n] : [(n & 0x7f) | 0x80, ...unsigned(n >>> 7)]);
const section = (id: number, body: readonly number[]): number[] => [id, ...unsigned(body.length), ...body];
const text = (s: string): number[] => [s.length, ...[...s].map(c => c.charCodeAt(0))];

const op = {
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  whole: (n: number) => [0x41, ...signed(n)],
  add: [0x6a],
  sub: [0x6b],
  mul: [0x6c],
  less: [0x49],
  loop: [0x03, 0x40],
  when: [0x04, 0x40],
  end: [0x0b],
  againIf: [0x0d, 0],
  load: (offset: number) => [0xfd, 0x00, 2, ...unsigned(offset)],
  splat: (offset: number) => [0xfd, 0x09, 2, ...unsigned(offset)],
  store: (offset: number) => [0xfd, 0x0b, 2, ...unsigned(offset)],
  zero: [0xfd, 0x0c, ...new Array<number>(16).fill(0)],
  fadd: [0xfd, 0xe4, 0x01],
  fmul: [0xfd, 0xe6, 0x01],
} as const;

/** `gemm(left, right, result, panelsDown, panelsAcross, depth, pitch, add)`: tiles of all panels, added or written. */
function tiles(): Uint8Array<ArrayBuffer> {
  const [left, right, result, down, across, depth, pitch, more] = [0, 1, 2, 3, 4, 5, 6, 7];
  const [i, a, c, out, q, panel, j, column, row] = [8, 9, 10, 11, 12, 13, 14, 15, 16];
  const sums = Array.from({ length: 8 }, (_, n) => 17 + n);
  const [c0, c1, factor] = [25, 26, 27];
  const advance = (local: number, by: readonly number[]): number[] => [
    ...op.get(local),
    ...by,
    ...op.add,
    ...op.set(local),
  ];
  const copy = (from: number, to: number): number[] => [...op.get(from), ...op.set(to)];
  const step = [0, 1, 2, 3].flatMap(r => [
    ...op.get(a),
    ...op.splat(4 * r),
    ...op.set(factor),
    ...[c0, c1].flatMap((side, s) => [
      ...op.get(sums[2 * r + s]!),
      ...op.get(factor),
      ...op.get(side),
      ...op.fmul,
      ...op.fadd,
      ...op.set(sums[2 * r + s]!),
    ]),
  ]);
  const eachRow = (body: (sum: number, offset: number) => number[]): number[] => [
    ...copy(out, row),
    ...[0, 1, 2, 3].flatMap(r => [
      ...body(sums[2 * r]!, 0),
      ...body(sums[2 * r + 1]!, 16),
      ...advance(row, op.get(pitch)),
    ]),
  ];
  const code = [
    ...op.whole(0),
    ...op.set(j),
    ...copy(right, panel),
    ...copy(result, column),
    ...op.loop, // across
    ...op.whole(0),
    ...op.set(i),
    ...copy(left, a),
    ...copy(column, out),
    ...op.loop, // down
    ...copy(panel, c),
    ...copy(depth, q),
    ...sums.flatMap(sum => [...op.zero, ...op.set(sum)]),
    ...op.loop, // depth
    ...op.get(c),
    ...op.load(0),
    ...op.set(c0),
    ...op.get(c),
    ...op.load(16),
    ...op.set(c1),
    ...step,
    ...advance(a, op.whole(4 * rows)),
    ...advance(c, op.whole(4 * columns)),
    ...op.get(q),
    ...op.whole(1),
    ...op.sub,
    ...op.set(q),
    ...op.get(q),
    ...op.againIf,
    ...op.end,
    ...op.get(more),
    ...op.when,
    ...eachRow((sum, offset) => [...op.get(row), ...op.load(offset), ...op.get(sum), ...op.fadd, ...op.set(sum)]),
    ...op.end,
    ...eachRow((sum, offset) => [...op.get(row), ...op.get(sum), ...op.store(offset)]),
    ...copy(row, out),
    ...advance(i, op.whole(1)),
    ...op.get(i),
    ...op.get(down),
    ...op.less,
    ...op.againIf,
    ...op.end,
    ...advance(panel, [...op.get(depth), ...op.whole(4 * columns), ...op.mul]),
    ...advance(column, op.whole(4 * columns)),
    ...advance(j, op.whole(1)),
    ...op.get(j),
    ...op.get(across),
    ...op.less,
    ...op.againIf,
    ...op.end,
    ...op.end,
  ];
  const locals = [2, 9, 0x7f, 11, 0x7b];
  const body = [...locals, ...code];
  return Uint8Array.from([
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0,
    ...section(1, [1, 0x60, 8, ...new Array<number>(8).fill(0x7f), 0]),
    ...section(2, [1, ...text('env'), ...text('memory'), 2, 0, 1]),
    ...section(3, [1, 0]),
    ...section(7, [1, ...text('gemm'), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]); // prettier-ignore
}
