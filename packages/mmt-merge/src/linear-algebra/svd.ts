/**
 * The largest singular values of a matrix with their vectors: exact for small matrices (one-sided Jacobi, Hestenes 1958),
 * by random projections for large ones (Halko, Martinsson and Tropp 2011, algorithm 4.4 with two rounds).
 */

import { uniforms } from '@heddle/core';

export interface Matrix {
  readonly rows: number;
  readonly columns: number;
  /** Row-major. */
  readonly data: Float32Array | Float64Array;
}

export interface Svd {
  /** Falling. */
  readonly values: Float64Array;
  /** [rows, k], row-major: columns are left singular vectors. */
  readonly left: Float64Array;
  /** [k, columns], row-major: rows are right singular vectors. */
  readonly right: Float64Array;
}

/** Below this size a matrix is taken apart exactly. */
const small = 128;
const oversampling = 8;
const rounds = 2;

/** The `rank` largest, or as many as there are. */
export function svd(matrix: Matrix, rank: number): Svd {
  const { rows, columns } = matrix;
  const least = Math.min(rows, columns);
  const wanted = Math.min(rank, least);
  if (least <= small || wanted + oversampling >= least) return truncated(exact(matrix), rows, columns, wanted);
  const width = wanted + oversampling;
  const draw = uniforms(7, rows);
  const start = Float64Array.from({ length: columns * width }, () => draw() - 0.5);
  let range = orthonormal(times(matrix, start, width), rows, width);
  for (let round = 0; round < rounds; round++) {
    const back = orthonormal(transposedTimes(matrix, range, width), columns, width);
    range = orthonormal(times(matrix, back, width), rows, width);
  }
  // range is [rows, width]; the small matrix range' M is taken apart exactly.
  const inner = transposedTimes(matrix, range, width); // [columns, width]: the transpose of range' M
  const { values, left, right } = exact({ rows: columns, columns: width, data: inner });
  // inner = left diag right, so M = (range right') diag left'.
  const u = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < width; k++) {
      let sum = 0;
      for (let j = 0; j < width; j++) sum += range[i * width + j]! * right[k * width + j]!;
      u[i * width + k] = sum;
    }
  const v = new Float64Array(width * columns);
  for (let j = 0; j < columns; j++) for (let k = 0; k < width; k++) v[k * columns + j] = left[j * width + k]!;
  return truncated({ values, left: u, right: v }, rows, columns, wanted);
}

function truncated({ values, left, right }: Svd, rows: number, columns: number, rank: number): Svd {
  const all = values.length;
  const u = new Float64Array(rows * rank);
  for (let i = 0; i < rows; i++) for (let k = 0; k < rank; k++) u[i * rank + k] = left[i * all + k]!;
  return { values: values.slice(0, rank), left: u, right: right.slice(0, rank * columns) };
}

/** All of them, of a matrix of which one side is small. */
function exact({ rows, columns, data }: Matrix): Svd {
  if (rows < columns) {
    const flipped = exact({ rows: columns, columns: rows, data: transpose(data, rows, columns) });
    const k = flipped.values.length;
    return {
      values: flipped.values,
      left: transpose(flipped.right, k, rows),
      right: transpose(flipped.left, columns, k),
    };
  }
  // Columns as rows of memory; rotated by pairs until all are at right angles.
  const n = columns;
  const w = transpose(data, rows, columns); // [n, rows]
  const v = new Float64Array(n * n);
  for (let i = 0; i < n; i++) v[i * n + i] = 1;
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < n - 1; p++)
      for (let q = p + 1; q < n; q++) {
        let [a, b, c] = [0, 0, 0];
        for (let i = 0; i < rows; i++) {
          const x = w[p * rows + i]!;
          const y = w[q * rows + i]!;
          a += x * x;
          b += y * y;
          c += x * y;
        }
        if (Math.abs(c) <= 1e-14 * Math.sqrt(a * b) || c === 0) continue;
        rotated = true;
        const zeta = (b - a) / (2 * c);
        const t = Math.sign(zeta || 1) / (Math.abs(zeta) + Math.sqrt(1 + zeta * zeta));
        const cosine = 1 / Math.sqrt(1 + t * t);
        rotate(w, p * rows, q * rows, rows, cosine, cosine * t);
        rotate(v, p * n, q * n, n, cosine, cosine * t);
      }
    if (!rotated) break;
  }
  const sizes = Array.from({ length: n }, (_, k) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += w[k * rows + i]! ** 2;
    return Math.sqrt(sum);
  });
  const order = sizes.map((_, k) => k).sort((i, j) => sizes[j]! - sizes[i]!);
  const left = new Float64Array(rows * n);
  const right = new Float64Array(n * n);
  for (const [place, k] of order.entries()) {
    const size = sizes[k]!;
    for (let i = 0; i < rows; i++) left[i * n + place] = size > 0 ? w[k * rows + i]! / size : 0;
    right.set(v.subarray(k * n, (k + 1) * n), place * n);
  }
  return { values: Float64Array.from(order, k => sizes[k]!), left, right };
}

function rotate(data: Float64Array, p: number, q: number, length: number, cosine: number, sine: number): void {
  for (let i = 0; i < length; i++) {
    const x = data[p + i]!;
    const y = data[q + i]!;
    data[p + i] = cosine * x - sine * y;
    data[q + i] = sine * x + cosine * y;
  }
}

function transpose(data: ArrayLike<number>, rows: number, columns: number): Float64Array {
  const out = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return out;
}

/** M X for X [columns, width]. */
function times({ rows, columns, data }: Matrix, x: Float64Array, width: number): Float64Array {
  const out = new Float64Array(rows * width);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const factor = data[i * columns + j]!;
      if (factor !== 0) for (let k = 0; k < width; k++) out[i * width + k]! += factor * x[j * width + k]!;
    }
  return out;
}

/** M' X for X [rows, width]. */
function transposedTimes({ rows, columns, data }: Matrix, x: Float64Array, width: number): Float64Array {
  const out = new Float64Array(columns * width);
  for (let i = 0; i < rows; i++)
    for (let j = 0; j < columns; j++) {
      const factor = data[i * columns + j]!;
      if (factor !== 0) for (let k = 0; k < width; k++) out[j * width + k]! += factor * x[i * width + k]!;
    }
  return out;
}

/** Columns made orthonormal, twice for good measure (Gram-Schmidt); what depends on the others becomes 0. */
function orthonormal(x: Float64Array, rows: number, width: number): Float64Array {
  const q = transpose(x, rows, width); // [width, rows]
  for (let k = 0; k < width; k++) {
    const own = q.subarray(k * rows, (k + 1) * rows);
    const before = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    for (let pass = 0; pass < 2; pass++)
      for (let j = 0; j < k; j++) {
        const other = q.subarray(j * rows, (j + 1) * rows);
        let dot = 0;
        for (let i = 0; i < rows; i++) dot += own[i]! * other[i]!;
        for (let i = 0; i < rows; i++) own[i]! -= dot * other[i]!;
      }
    const size = Math.sqrt(own.reduce((sum, value) => sum + value * value, 0));
    if (size > before * 1e-12) for (let i = 0; i < rows; i++) own[i]! /= size;
    else own.fill(0);
  }
  return transpose(q, width, rows);
}

/** `B = U sqrt(S)` [rows, rank] and `A = sqrt(S) V'` [rank, columns], so that B A is the matrix as near as rank allows. */
export function factors(
  matrix: Matrix,
  rank: number,
): { readonly b: Float32Array; readonly a: Float32Array; readonly values: Float64Array } {
  const { values, left, right } = svd(matrix, rank);
  const k = values.length;
  const roots = values.map(Math.sqrt);
  const b = Float32Array.from(left, (x, i) => x * roots[i % k]!);
  const a = Float32Array.from(right, (x, i) => x * roots[Math.floor(i / matrix.columns)]!);
  return { b, a, values };
}

/** [rows, columns] -> [columns, rows]. */
export function turned(data: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return out;
}

/** B A, for B [rows, rank] and A [rank, columns]. */
export function product(b: Float32Array, a: Float32Array, rows: number, columns: number): Float32Array {
  const rank = a.length / columns;
  const out = new Float32Array(rows * columns);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < rank; k++) {
      const factor = b[i * rank + k]!;
      for (let j = 0; j < columns; j++) out[i * columns + j]! += factor * a[k * columns + j]!;
    }
  return out;
}

/** |x - y| / |x|; 0 where both are nothing. */
export function relativeDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [gap, size] = [0, 0];
  for (let i = 0; i < x.length; i++) {
    gap += (x[i]! - y[i]!) ** 2;
    size += x[i]! ** 2;
  }
  return gap === 0 ? 0 : Math.sqrt(gap / (size || gap));
}
