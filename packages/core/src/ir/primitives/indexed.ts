/** Primitives that follow an index: rows by number, and their inverse. */

import { fail } from '../../errors.js';
import { refuse } from '../path.js';
import { definePrimitive } from '../primitive.js';
import { sameShape, showTypes, sizeOf } from '../shape.js';
import type { TensorType, Value } from '../types.js';
import { expectAxis } from './rules.js';

function expectIndex(op: string, types: readonly TensorType[]): void {
  if (types[1]!.dtype !== 'i32')
    refuse(op, 'E_DTYPE', `expected an i32 index, received ${showTypes(types)}.`, { types });
}

export const gatherNode = definePrimitive<{ readonly axis: number }>({
  name: 'gather',
  arity: 2,
  shape: 'x[:axis] ++ index ++ x[axis+1:]',
  gradient: 'scatterAdd, -',
  infer(types, { axis }) {
    const [x, index] = types;
    expectAxis('gather', axis, x!.shape.length);
    expectIndex('gather', types);
    return { dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), ...index!.shape, ...x!.shape.slice(axis + 1)] };
  },
  vjp: ({ ct, inputs: [x, index], attrs: { axis } }) => [scatterAdd(ct, index!, axis, x!.type.shape[axis]!), null],
  evaluate([x, index], { axis }, { data }) {
    const size = x!.type.shape[axis]!;
    const row = sizeOf(x!.type.shape.slice(axis + 1));
    const outer = sizeOf(x!.type.shape.slice(0, axis));
    const picks = index!.data;
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < picks.length; i++) {
        const from = (o * size + inRange('gather', picks[i]!, size)) * row;
        data.set(x!.data.subarray(from, from + row), (o * picks.length + i) * row);
      }
    }
  },
});

/** Zeros, with every slice of `x` added at the row that `index` names. */
export const scatterAddNode = definePrimitive<{ readonly axis: number; readonly size: number }>({
  name: 'scatterAdd',
  arity: 2,
  shape: 'inverse of gather: the index axes become one of `size`',
  gradient: 'gather, -',
  infer(types, { axis, size }) {
    const [x, index] = types;
    const end = axis + index!.shape.length;
    expectIndex('scatterAdd', types);
    if (
      !Number.isInteger(axis) ||
      axis < 0 ||
      end > x!.shape.length ||
      !sameShape(x!.shape.slice(axis, end), index!.shape)
    ) {
      refuse('scatterAdd', 'E_SHAPE', `expected the index's shape at axis ${axis}, received ${showTypes(types)}.`, {
        types,
        axis,
      });
    }
    if (!Number.isInteger(size) || size < 1)
      refuse('scatterAdd', 'E_ATTRIBUTE', `expected a size from 1 up, received ${size}.`, { size });
    return { dtype: x!.dtype, shape: [...x!.shape.slice(0, axis), size, ...x!.shape.slice(end)] };
  },
  vjp: ({ ct, inputs: [, index], attrs: { axis } }) => [gather(ct, index!, axis), null],
  evaluate([x, index], { axis, size }, { data }) {
    const row = sizeOf(x!.type.shape.slice(axis + index!.type.shape.length));
    const outer = sizeOf(x!.type.shape.slice(0, axis));
    const picks = index!.data;
    const sums = new Float64Array(data.length);
    for (let o = 0; o < outer; o++) {
      for (let i = 0; i < picks.length; i++) {
        const to = (o * size + inRange('scatterAdd', picks[i]!, size)) * row;
        const from = (o * picks.length + i) * row;
        for (let c = 0; c < row; c++) sums[to + c] = sums[to + c]! + x!.data[from + c]!;
      }
    }
    data.set(sums);
  },
});

function inRange(op: string, index: number, size: number): number {
  if (index < 0 || index >= size) {
    fail(
      'E_INDEX',
      `${op}: expected an index between 0 and ${size - 1}, received ${index}. Check token ids against the vocabulary.`,
      { op, index, size },
    );
  }
  return index;
}

export const gather = (x: Value, index: Value, axis: number): Value => gatherNode([x, index], { axis });
export const scatterAdd = (x: Value, index: Value, axis: number, size: number): Value =>
  scatterAddNode([x, index], { axis, size });
