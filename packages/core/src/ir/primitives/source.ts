/** Primitives that make values from nothing: inputs, constants, counters, random numbers. */

import { fail } from '../../errors.js';
import { randomUniform } from '../../random/philox.js';
import { refuse } from '../path.js';
import { definePrimitive } from '../primitive.js';
import { sizeOf, stridesOf } from '../shape.js';
import type { Dtype, HostData, Shape, TensorType, Value } from '../types.js';
import { broadcast } from './movement.js';
import { expectAxis } from './rules.js';

const none = (): readonly never[] => [];

/** A named hole, filled at run time. */
export const inputNode = definePrimitive<{ readonly name: string; readonly type: TensorType }>({
  name: 'input',
  arity: 0,
  shape: 'the declared type',
  gradient: '-',
  infer: (_inputs, { type }) => type,
  vjp: none,
  evaluate: (_inputs, { name }) =>
    fail('E_FEED', `input '${name}': expected a value, received none. Feed it by name.`, { name }),
});
export const input = (name: string, type: TensorType): Value => inputNode([], { name, type });

/** Numbers known while tracing. */
export const constantNode = definePrimitive<{ readonly type: TensorType; readonly data: HostData | Float64Array }>({
  name: 'constant',
  arity: 0,
  shape: 'the declared type',
  gradient: '-',
  infer(_inputs, { type, data }) {
    if (data.length !== sizeOf(type.shape)) {
      refuse(
        'constant',
        'E_SHAPE',
        `expected ${sizeOf(type.shape)} numbers for [${type.shape.join(', ')}], received ${data.length}.`,
        { type, length: data.length },
      );
    }
    return type;
  },
  vjp: none,
  evaluate: (_inputs, { data }, out) => out.data.set(data),
});

const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;

/** Host memory for a type, zeroed. */
export const allocate = (dtype: Dtype, length: number): HostData => new arrays[dtype](length);

/**
 * f32 constants keep double precision until an engine rounds them, so that gradient checks in double
 * precision are not limited by the constants.
 *
 * @throws E_DTYPE for a fraction among whole numbers: i32 arrays would cut it without a word
 */
export function constant(data: ArrayLike<number>, shape: Shape, dtype: Dtype = 'f32'): Value {
  if (dtype === 'i32') {
    for (let i = 0; i < data.length; i++) {
      if (!Number.isInteger(data[i])) {
        refuse(
          'constant',
          'E_DTYPE',
          `expected whole numbers for i32[${shape.join(', ')}], received ${data[i]}. Cast the tensor to f32 first.`,
          { value: data[i], index: i },
        );
      }
    }
  }
  const held = dtype === 'f32' ? Float64Array.from(data) : allocate(dtype, data.length);
  if (dtype !== 'f32') held.set(data);
  return constantNode([], { type: { dtype, shape }, data: held });
}

/** Counts 0, 1, 2… along one axis. */
export const iotaNode = definePrimitive<{ readonly shape: Shape; readonly axis: number; readonly dtype: Dtype }>({
  name: 'iota',
  arity: 0,
  shape: 'shape',
  gradient: '-',
  infer(_inputs, { shape, axis, dtype }) {
    expectAxis('iota', axis, shape.length);
    return { dtype, shape };
  },
  vjp: none,
  evaluate(_inputs, { shape, axis }, { data }) {
    const size = shape[axis]!;
    const below = stridesOf(shape)[axis]!;
    for (let i = 0; i < data.length; i++) data[i] = Math.floor(i / below) % size;
  },
});
export const iota = (shape: Shape, axis: number, dtype: Dtype = 'i32'): Value => iotaNode([], { shape, axis, dtype });

/** Uniform numbers in [0, 1): the bits depend on the key, the stream and the cell, on nothing else. */
export const randomNode = definePrimitive<{ readonly shape: Shape; readonly stream: number }>({
  name: 'random',
  arity: 1,
  shape: 'i32[2] -> shape',
  gradient: '-',
  infer([key], { shape, stream }) {
    if (key!.dtype !== 'i32' || key!.shape.length !== 1 || key!.shape[0] !== 2) {
      refuse('random', 'E_DTYPE', `expected a key i32[2], received ${key!.dtype}[${key!.shape.join(', ')}].`, { key });
    }
    if (!Number.isInteger(stream) || stream < 0 || stream > 0xffffffff) {
      refuse('random', 'E_ATTRIBUTE', `expected a stream between 0 and 2^32 - 1, received ${stream}.`, { stream });
    }
    return { dtype: 'f32', shape };
  },
  vjp: () => [null],
  evaluate: ([key], { stream }, { data }) => randomUniform(data, key!.data[0]!, key!.data[1]!, stream),
});
export const random = (key: Value, shape: Shape, stream: number): Value => randomNode([key], { shape, stream });

/** One number everywhere: a scalar constant, broadcast. */
export function full(shape: Shape, value: number, dtype: Dtype = 'f32'): Value {
  return broadcast(
    constant(
      [value],
      shape.map(() => 1),
      dtype,
    ),
    shape,
  );
}
export const fullLike = (like: Value, value: number): Value => full(like.type.shape, value, like.type.dtype);
