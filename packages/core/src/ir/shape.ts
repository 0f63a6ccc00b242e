/** Arithmetic of shapes, and how types are written in messages. */

import type { Shape, TensorType } from './types.js';

/** Number of elements; 1 for a scalar. */
export const sizeOf = (shape: Shape): number => {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
};

export const sameShape = (a: Shape, b: Shape): boolean => a.length === b.length && a.every((d, i) => d === b[i]);

export const sameType = (a: TensorType, b: TensorType): boolean => a.dtype === b.dtype && sameShape(a.shape, b.shape);

/** Row-major strides in elements. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = strides[i + 1]! * shape[i + 1]!;
  return strides;
}

/** `f32[2, 3]` */
export const showType = (type: TensorType): string => `${type.dtype}[${type.shape.join(', ')}]`;

export const showTypes = (types: readonly TensorType[]): string => {
  const words = types.map(showType);
  return words.length > 1 ? `${words.slice(0, -1).join(', ')} and ${words.at(-1)}` : (words[0] ?? 'nothing');
};

/** Axes that are kept, in order. */
export const withoutAxes = (shape: Shape, axes: readonly number[]): number[] =>
  shape.filter((_, i) => !axes.includes(i));

/** The same rank, with 1 on the given axes. */
export const onesAt = (shape: Shape, axes: readonly number[]): number[] =>
  shape.map((d, i) => (axes.includes(i) ? 1 : d));

/**
 * Visits the cells of `shape` in row-major order with the offset that `strides` give.
 * The innermost axis is a plain loop; this is what makes the reference bearable.
 */
export function walk(
  shape: Shape,
  strides: readonly number[],
  visit: (cell: number, offset: number) => void,
  start = 0,
): void {
  const rank = shape.length;
  if (rank === 0) return visit(0, start);
  const inner = shape[rank - 1]!;
  const step = strides[rank - 1]!;
  const rows = sizeOf(shape) / inner;
  const at = new Array<number>(rank).fill(0);
  let offset = start;
  for (let row = 0, cell = 0; row < rows; row++) {
    for (let i = 0, o = offset; i < inner; i++, o += step) visit(cell++, o);
    for (let axis = rank - 2; axis >= 0; axis--) {
      at[axis] = at[axis]! + 1;
      offset += strides[axis]!;
      if (at[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      at[axis] = 0;
    }
  }
}
