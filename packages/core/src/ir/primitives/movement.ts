/** Primitives that move cells without computing. */

import { refuse } from '../path.js';
import { definePrimitive } from '../primitive.js';
import { sameShape, showTypes, sizeOf, stridesOf, walk } from '../shape.js';
import type { Shape, Value } from '../types.js';
import { reduceSum } from './reduce.js';
import { expectAxis, expectSameDtypes } from './rules.js';

export const reshapeNode = definePrimitive<{ readonly shape: Shape }>({
  name: 'reshape',
  arity: 1,
  shape: 'equal element count',
  gradient: 'reshape back',
  infer([x], { shape }) {
    if (sizeOf(x!.shape) !== sizeOf(shape)) {
      refuse(
        'reshape',
        'E_SHAPE',
        `expected ${sizeOf(shape)} cells for [${shape.join(', ')}], received ${sizeOf(x!.shape)} of [${x!.shape.join(', ')}].`,
        { from: x!.shape, to: shape },
      );
    }
    return { dtype: x!.dtype, shape };
  },
  vjp: ({ ct, inputs: [x] }) => [reshape(ct, x!.type.shape)],
  evaluate: ([x], _attrs, { data }) => data.set(x!.data),
});

export const transposeNode = definePrimitive<{ readonly permutation: readonly number[] }>({
  name: 'transpose',
  arity: 1,
  shape: 'permuted',
  gradient: 'inverse permutation',
  infer([x], { permutation }) {
    const sorted = [...permutation].sort((a, b) => a - b);
    if (permutation.length !== x!.shape.length || !sorted.every((p, i) => p === i)) {
      refuse(
        'transpose',
        'E_ATTRIBUTE',
        `expected a permutation of ${x!.shape.length} axes, received [${permutation.join(', ')}] for [${x!.shape.join(', ')}].`,
        { permutation, shape: x!.shape },
      );
    }
    return { dtype: x!.dtype, shape: permutation.map(p => x!.shape[p]!) };
  },
  vjp: ({ ct, attrs: { permutation } }) => [
    transpose(
      ct,
      permutation.map((_, i) => permutation.indexOf(i)),
    ),
  ],
  evaluate([x], { permutation }, { type, data }) {
    const strides = stridesOf(x!.type.shape);
    walk(
      type.shape,
      permutation.map(p => strides[p]!),
      (cell, offset) => {
        data[cell] = x!.data[offset]!;
      },
    );
  },
});

/** Repeats axes of size 1: the only broadcasting in the graph, so the only rule that sums a gradient back. */
export const broadcastNode = definePrimitive<{ readonly shape: Shape }>({
  name: 'broadcast',
  arity: 1,
  shape: 'same rank, each axis equal or 1',
  gradient: 'reduceSum over the grown axes, then reshape',
  infer([x], { shape }) {
    if (x!.shape.length !== shape.length || !x!.shape.every((d, i) => d === shape[i] || d === 1)) {
      refuse(
        'broadcast',
        'E_SHAPE',
        `expected the same rank with axes equal or 1, received [${x!.shape.join(', ')}] for [${shape.join(', ')}].`,
        { from: x!.shape, to: shape },
      );
    }
    return { dtype: x!.dtype, shape };
  },
  vjp: ({ ct, inputs: [x], out }) => {
    const grown = out.type.shape.flatMap((d, i) => (d === x!.type.shape[i] ? [] : [i]));
    return [grown.length === 0 ? ct : reshape(reduceSum(ct, grown), x!.type.shape)];
  },
  evaluate([x], _attrs, { type, data }) {
    const from = x!.type.shape;
    const strides = stridesOf(from).map((s, i) => (from[i] === 1 ? 0 : s));
    walk(type.shape, strides, (cell, offset) => {
      data[cell] = x!.data[offset]!;
    });
  },
});

export const sliceNode = definePrimitive<{ readonly starts: Shape; readonly ends: Shape }>({
  name: 'slice',
  arity: 1,
  shape: 'ends - starts, step 1',
  gradient: 'pad',
  infer([x], { starts, ends }) {
    const { shape } = x!;
    const lawful =
      starts.length === shape.length &&
      ends.length === shape.length &&
      shape.every(
        (d, i) =>
          Number.isInteger(starts[i]) &&
          Number.isInteger(ends[i]) &&
          starts[i]! >= 0 &&
          starts[i]! < ends[i]! &&
          ends[i]! <= d,
      );
    if (!lawful) {
      refuse(
        'slice',
        'E_ATTRIBUTE',
        `expected 0 <= start < end <= size on every axis, received starts [${starts.join(', ')}] and ends [${ends.join(', ')}] for [${shape.join(', ')}].`,
        { starts, ends, shape },
      );
    }
    return { dtype: x!.dtype, shape: shape.map((_, i) => ends[i]! - starts[i]!) };
  },
  vjp: ({ ct, inputs: [x], attrs: { starts, ends } }) => [
    pad(
      ct,
      starts,
      x!.type.shape.map((d, i) => d - ends[i]!),
    ),
  ],
  evaluate([x], { starts }, { type, data }) {
    const strides = stridesOf(x!.type.shape);
    const first = starts.reduce((n, s, i) => n + s * strides[i]!, 0);
    walk(
      type.shape,
      strides,
      (cell, offset) => {
        data[cell] = x!.data[offset]!;
      },
      first,
    );
  },
});

export const padNode = definePrimitive<{ readonly low: Shape; readonly high: Shape }>({
  name: 'pad',
  arity: 1,
  shape: 'grows by low and high, filled with 0',
  gradient: 'slice',
  infer([x], { low, high }) {
    const { shape } = x!;
    const lawful =
      low.length === shape.length &&
      high.length === shape.length &&
      [...low, ...high].every(p => Number.isInteger(p) && p >= 0);
    if (!lawful) {
      refuse(
        'pad',
        'E_ATTRIBUTE',
        `expected whole numbers from 0 up for every axis, received low [${low.join(', ')}] and high [${high.join(', ')}] for [${shape.join(', ')}].`,
        { low, high, shape },
      );
    }
    return { dtype: x!.dtype, shape: shape.map((d, i) => d + low[i]! + high[i]!) };
  },
  vjp: ({ ct, inputs: [x], attrs: { low } }) => [
    slice(
      ct,
      low,
      x!.type.shape.map((d, i) => d + low[i]!),
    ),
  ],
  evaluate([x], { low }, { type, data }) {
    const strides = stridesOf(type.shape);
    const first = low.reduce((n, s, i) => n + s * strides[i]!, 0);
    walk(
      x!.type.shape,
      strides,
      (cell, offset) => {
        data[offset] = x!.data[cell]!;
      },
      first,
    );
  },
});

export const concatNode = definePrimitive<{ readonly axis: number }>({
  name: 'concat',
  arity: null,
  shape: 'sums along the axis',
  gradient: 'one slice each',
  infer(types, { axis }) {
    const first = types[0]!;
    expectAxis('concat', axis, first.shape.length);
    expectSameDtypes('concat', types);
    const others = (shape: Shape): number[] => shape.filter((_, i) => i !== axis);
    if (!types.every(t => t.shape.length === first.shape.length && sameShape(others(t.shape), others(first.shape)))) {
      refuse('concat', 'E_SHAPE', `expected equal axes but for axis ${axis}, received ${showTypes(types)}.`, {
        types,
        axis,
      });
    }
    return {
      dtype: first.dtype,
      shape: first.shape.map((d, i) => (i === axis ? types.reduce((n, t) => n + t.shape[i]!, 0) : d)),
    };
  },
  vjp: ({ ct, inputs, attrs: { axis } }) => {
    let from = 0;
    return inputs.map(x => {
      const to = from + x.type.shape[axis]!;
      const part = slice(
        ct,
        ct.type.shape.map((_, i) => (i === axis ? from : 0)),
        ct.type.shape.map((d, i) => (i === axis ? to : d)),
      );
      from = to;
      return part;
    });
  },
  evaluate(parts, { axis }, { type, data }) {
    const strides = stridesOf(type.shape);
    let from = 0;
    for (const part of parts) {
      walk(
        part.type.shape,
        strides,
        (cell, offset) => {
          data[offset] = part.data[cell]!;
        },
        from * strides[axis]!,
      );
      from += part.type.shape[axis]!;
    }
  },
});

export const reshape = (x: Value, shape: Shape): Value =>
  sameShape(x.type.shape, shape) ? x : reshapeNode([x], { shape });
export const transpose = (x: Value, permutation: readonly number[]): Value =>
  permutation.every((p, i) => p === i) && permutation.length === x.type.shape.length
    ? x
    : transposeNode([x], { permutation });
export const broadcast = (x: Value, shape: Shape): Value =>
  sameShape(x.type.shape, shape) ? x : broadcastNode([x], { shape });
export const slice = (x: Value, starts: Shape, ends: Shape): Value =>
  starts.every(s => s === 0) && sameShape(ends, x.type.shape) ? x : sliceNode([x], { starts, ends });
export const pad = (x: Value, low: Shape, high: Shape): Value =>
  low.every(p => p === 0) && high.every(p => p === 0) ? x : padNode([x], { low, high });
export const concat = (parts: readonly Value[], axis: number): Value =>
  parts.length === 1 ? parts[0]! : concatNode(parts, { axis });
