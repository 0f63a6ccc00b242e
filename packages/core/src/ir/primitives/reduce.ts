/** Primitives that fold axes away. */

import { refuse } from '../path.js';
import { definePrimitive, type Gradient } from '../primitive.js';
import { onesAt, stridesOf, walk, withoutAxes } from '../shape.js';
import type { Shape, Value } from '../types.js';
import { div, equal, mul, where } from './elementwise.js';
import { broadcast, reshape } from './movement.js';
import { expectAxes, expectDtype } from './rules.js';
import { fullLike } from './source.js';

type Axes = { readonly axes: readonly number[] };

interface Reducer {
  readonly name: string;
  readonly gradient: string;
  readonly start: number;
  readonly fold: (sum: number, x: number) => number;
  readonly vjp: (at: Gradient<Axes>) => readonly (Value | null)[];
}

function reducer({ name, gradient, start, fold, vjp }: Reducer) {
  return definePrimitive<Axes>({
    name,
    arity: 1,
    shape: 'the axes removed',
    gradient,
    infer([x], { axes }) {
      expectDtype(name, x!, ['f32', 'i32']);
      expectAxes(name, axes, x!.shape);
      if (axes.length === 0)
        refuse(name, 'E_ATTRIBUTE', 'expected at least one axis, received none. Leave the reduction out.', {});
      return { dtype: x!.dtype, shape: withoutAxes(x!.shape, axes) };
    },
    vjp,
    evaluate([x], { axes }, { data }) {
      // Sums are kept in double precision until the node ends, as everywhere in the reference.
      const sums = new Float64Array(data.length).fill(start);
      const kept = stridesOf(onesAt(x!.type.shape, axes)).map((s, i) => (axes.includes(i) ? 0 : s));
      const from = x!.data;
      walk(x!.type.shape, kept, (cell, offset) => {
        sums[offset] = fold(sums[offset]!, from[cell]!);
      });
      data.set(sums);
    },
  });
}

/** Puts the removed axes back. @shape v without `axes` -> shape */
export const spread = (v: Value, shape: Shape, axes: readonly number[]): Value =>
  broadcast(reshape(v, onesAt(shape, axes)), shape);

export const reduceSumNode = reducer({
  name: 'reduceSum',
  gradient: 'spread(ct, axes)',
  start: 0,
  fold: (sum, x) => sum + x,
  vjp: ({ ct, inputs: [x], attrs }) => [spread(ct, x!.type.shape, attrs.axes)],
});

/** Ties share the gradient. NaN wins. */
export const reduceMaxNode = reducer({
  name: 'reduceMax',
  gradient: 'hit * spread(ct / sum(hit), axes), hit = (x == spread(y))',
  start: -Infinity,
  fold: Math.max,
  vjp: ({ ct, inputs: [x], out, attrs: { axes } }) => {
    const shape = x!.type.shape;
    const hit = where(equal(x!, spread(out, shape, axes)), fullLike(x!, 1), fullLike(x!, 0));
    return [mul(hit, spread(div(ct, reduceSum(hit, axes)), shape, axes))];
  },
});

export const reduceSum = (x: Value, axes: readonly number[]): Value => reduceSumNode([x], { axes });
export const reduceMax = (x: Value, axes: readonly number[]): Value => reduceMaxNode([x], { axes });
