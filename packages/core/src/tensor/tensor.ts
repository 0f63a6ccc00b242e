/** The face that people write with: a value with methods, and NumPy's broadcasting. */

import { refuse } from '../ir/path.js';
import { onesAt, showTypes, sizeOf } from '../ir/shape.js';
import * as p from '../ir/primitives/index.js';
import type { Dtype, Shape, TensorType, Value } from '../ir/types.js';

export type Operand = Tensor | number;

export interface Keep {
  /** Leave reduced axes in place with size 1. */
  readonly keep?: boolean;
}

/**
 * A symbolic tensor. Methods add nodes to the graph; nothing is computed.
 *
 * Recognised by its `value`, never by `instanceof`.
 */
export class Tensor {
  readonly value: Value;

  constructor(value: Value) {
    this.value = value;
  }

  get type(): TensorType {
    return this.value.type;
  }
  get shape(): Shape {
    return this.value.type.shape;
  }
  get dtype(): Dtype {
    return this.value.type.dtype;
  }
  get rank(): number {
    return this.shape.length;
  }
  get size(): number {
    return sizeOf(this.shape);
  }

  add(other: Operand): Tensor {
    return binary('add', p.add, this, other);
  }
  sub(other: Operand): Tensor {
    return binary('sub', p.sub, this, other);
  }
  mul(other: Operand): Tensor {
    return binary('mul', p.mul, this, other);
  }
  div(other: Operand): Tensor {
    return binary('div', p.div, this, other);
  }
  less(other: Operand): Tensor {
    return binary('less', p.less, this, other);
  }
  greater(other: Operand): Tensor {
    return binary('greater', (x, z) => p.less(z, x), this, other);
  }
  equal(other: Operand): Tensor {
    return binary('equal', p.equal, this, other);
  }

  exp(): Tensor {
    return new Tensor(p.exp(this.value));
  }
  log(): Tensor {
    return new Tensor(p.log(this.value));
  }
  sqrt(): Tensor {
    return new Tensor(p.sqrt(this.value));
  }
  tanh(): Tensor {
    return new Tensor(p.tanh(this.value));
  }
  erf(): Tensor {
    return new Tensor(p.erf(this.value));
  }
  sin(): Tensor {
    return new Tensor(p.sin(this.value));
  }
  cos(): Tensor {
    return new Tensor(p.cos(this.value));
  }
  floor(): Tensor {
    return new Tensor(p.floor(this.value));
  }
  /** The same numbers, through which no gradient flows. */
  stopGradient(): Tensor {
    return new Tensor(p.stopGradient(this.value));
  }
  cast(dtype: Dtype): Tensor {
    return new Tensor(p.cast(this.value, dtype));
  }
  neg(): Tensor {
    return this.mul(-1);
  }
  square(): Tensor {
    return this.mul(this);
  }

  /** Sum over axes (all by default). Negative axes count from the end. */
  sum(axes?: number | readonly number[], { keep = false }: Keep = {}): Tensor {
    return this.#reduce(p.reduceSum, axes, keep);
  }
  /** Largest element over axes. */
  max(axes?: number | readonly number[], { keep = false }: Keep = {}): Tensor {
    return this.#reduce(p.reduceMax, axes, keep);
  }
  mean(axes?: number | readonly number[], options: Keep = {}): Tensor {
    const sum = this.sum(axes, options);
    return sum.mul(sum.size / this.size);
  }
  /** Mean squared distance from the mean (divides by the count, not by one less). */
  variance(axes?: number | readonly number[], options: Keep = {}): Tensor {
    return this.sub(this.mean(axes, { keep: true }))
      .square()
      .mean(axes, options);
  }

  /**
   * Matrix product over the last two axes. A matrix on the right serves every leading axis of the left, which is
   * folded into rows; otherwise leading axes broadcast.
   */
  matmul(other: Tensor, flags: p.MatmulFlags = {}): Tensor {
    if (other.rank === 2 && this.rank > 2 && flags.transposeLeft !== true) {
      const width = this.shape.at(-1)!;
      const rows = this.reshape(this.size / width, width);
      const product = rows.matmul(other, flags);
      return product.reshape(...this.shape.slice(0, -1), product.shape[1]!);
    }
    const [x, z] = [this, other];
    if (x.rank < 2 || z.rank < 2) {
      refuse(
        'matmul',
        'E_RANK',
        `expected matrices, received ${showTypes([x.type, z.type])}. Reshape vectors to matrices.`,
        { types: [x.type, z.type] },
      );
    }
    const batch = joint('matmul', x.shape.slice(0, -2), z.shape.slice(0, -2), [x.type, z.type]);
    const left = x.broadcastTo([...batch, ...x.shape.slice(-2)]);
    const right = z.broadcastTo([...batch, ...z.shape.slice(-2)]);
    return new Tensor(p.matmul(left.value, right.value, flags));
  }

  /** One axis may be -1: what is left over. */
  reshape(...shape: readonly number[]): Tensor {
    const open = shape.indexOf(-1);
    if (open < 0) return new Tensor(p.reshape(this.value, shape));
    const known = shape.reduce((n, d) => (d === -1 ? n : n * d), 1);
    return new Tensor(
      p.reshape(
        this.value,
        shape.map((d, i) => (i === open ? this.size / known : d)),
      ),
    );
  }
  /** Axes in a new order; reversed without arguments. */
  transpose(...permutation: readonly number[]): Tensor {
    const order =
      permutation.length === 0
        ? this.shape.map((_, i) => this.rank - 1 - i)
        : permutation.map(a => axisOf('transpose', a, this.rank));
    return new Tensor(p.transpose(this.value, order));
  }
  /** Repeats axes of size 1, and adds leading ones, until the shape is reached. */
  broadcastTo(shape: Shape): Tensor {
    const padded = [...new Array<number>(Math.max(0, shape.length - this.rank)).fill(1), ...this.shape];
    return new Tensor(p.broadcast(p.reshape(this.value, padded), shape));
  }
  /** Cells from `start` up to, not including, `end` along an axis. Negative numbers count from the end. */
  slice(axis: number, start: number, end: number = Infinity): Tensor {
    const a = axisOf('slice', axis, this.rank);
    const size = this.shape[a]!;
    const place = (n: number): number => (n < 0 ? size + n : Math.min(n, size));
    const starts = this.shape.map((_, i) => (i === a ? place(start) : 0));
    const ends = this.shape.map((d, i) => (i === a ? place(end) : d));
    return new Tensor(p.slice(this.value, starts, ends));
  }
  /** Zeros around, so many before and after along an axis. */
  pad(axis: number, low: number, high: number): Tensor {
    const a = axisOf('pad', axis, this.rank);
    const along = (n: number): number[] => this.shape.map((_, i) => (i === a ? n : 0));
    return new Tensor(p.pad(this.value, along(low), along(high)));
  }
  /** Rows by number along an axis. @shape x, index i32[...i] -> x[:axis] ++ i ++ x[axis+1:] */
  gather(index: Tensor, axis = 0): Tensor {
    return new Tensor(p.gather(this.value, index.value, axisOf('gather', axis, this.rank)));
  }
  /** Zeros of `size` rows, with this tensor's slices added where the index says. */
  scatterAdd(index: Tensor, axis: number, size: number): Tensor {
    return new Tensor(p.scatterAdd(this.value, index.value, axis, size));
  }

  #reduce(
    fold: (x: Value, axes: readonly number[]) => Value,
    axes: number | readonly number[] | undefined,
    keep: boolean,
  ): Tensor {
    const chosen =
      axes === undefined
        ? this.shape.map((_, i) => i)
        : (typeof axes === 'number' ? [axes] : axes).map(a => axisOf('reduce', a, this.rank));
    if (chosen.length === 0) return this;
    const sorted = chosen.toSorted((a, b) => a - b);
    const out = fold(this.value, sorted);
    return new Tensor(keep ? p.reshape(out, onesAt(this.shape, sorted)) : out);
  }
}

/** -1 is the last axis. */
function axisOf(op: string, axis: number, rank: number): number {
  const a = axis < 0 ? rank + axis : axis;
  if (!Number.isInteger(a) || a < 0 || a >= rank) {
    refuse(op, 'E_ATTRIBUTE', `expected an axis between ${-rank} and ${rank - 1}, received ${axis}.`, { axis, rank });
  }
  return a;
}

/** The shape that both broadcast to, by NumPy's rule. */
function joint(op: string, x: Shape, z: Shape, types: readonly TensorType[]): Shape {
  const rank = Math.max(x.length, z.length);
  return Array.from({ length: rank }, (_, i) => {
    const a = x[i - rank + x.length] ?? 1;
    const b = z[i - rank + z.length] ?? 1;
    if (a !== b && a !== 1 && b !== 1) {
      refuse(
        op,
        'E_SHAPE',
        `expected shapes that broadcast, received ${showTypes(types)}. Axes must be equal or 1, counted from the end.`,
        { types },
      );
    }
    return Math.max(a, b);
  });
}

/** Brings two operands to one shape; numbers become constants of the other's dtype. */
function binary(op: string, make: (x: Value, z: Value) => Value, x: Tensor, other: Operand): Tensor {
  if (typeof other === 'number') return new Tensor(make(x.value, p.fullLike(x.value, other)));
  const shape = joint(op, x.shape, other.shape, [x.type, other.type]);
  return new Tensor(make(x.broadcastTo(shape).value, other.broadcastTo(shape).value));
}

/** Where the condition holds, the one; elsewhere, the other. All three broadcast. */
export function where(condition: Tensor, yes: Operand, no: Operand): Tensor {
  const tensors = [condition, yes, no].filter((t): t is Tensor => typeof t !== 'number');
  const types = tensors.map(t => t.type);
  const shape = tensors.reduce<Shape>((s, t) => joint('where', s, t.shape, types), []);
  const dtype = typeof yes !== 'number' ? yes.dtype : typeof no !== 'number' ? no.dtype : 'f32';
  const bring = (t: Operand): Value => (typeof t === 'number' ? p.full(shape, t, dtype) : t.broadcastTo(shape).value);
  return new Tensor(p.where(bring(condition), bring(yes), bring(no)));
}

/** Joins along an axis. */
export const concat = (parts: readonly Tensor[], axis: number): Tensor =>
  new Tensor(
    p.concat(
      parts.map(t => t.value),
      axisOf('concat', axis, parts[0]?.rank ?? 0),
    ),
  );

/** The same number everywhere. */
export const full = (shape: Shape, value: number, dtype: Dtype = 'f32'): Tensor =>
  new Tensor(p.full(shape, value, dtype));

/** Numbers known while tracing. */
export const constant = (data: ArrayLike<number>, shape: Shape, dtype: Dtype = 'f32'): Tensor =>
  new Tensor(p.constant(data, shape, dtype));

/** Counts 0, 1, 2… along one axis. */
export const iota = (shape: Shape, axis: number, dtype: Dtype = 'i32'): Tensor =>
  new Tensor(p.iota(shape, axisOf('iota', axis, shape.length), dtype));

/** Uniform numbers in [0, 1) from a key i32[2] and a stream. */
export const random = (key: Tensor, shape: Shape, stream: number): Tensor =>
  new Tensor(p.random(key.value, shape, stream));
