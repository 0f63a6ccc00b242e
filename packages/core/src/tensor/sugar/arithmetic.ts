/** Elementwise functions in terms of the primitives. They leave no trace in the graph. */

import { where, type Operand, type Tensor } from '../tensor.js';

export const abs = (x: Tensor): Tensor => where(x.less(0), x.neg(), x);
export const sign = (x: Tensor): Tensor => where(x.less(0), -1, where(x.greater(0), 1, x.mul(0)));
/** The larger of two. A NaN in `b` is not propagated. */
export const maximum = (a: Tensor, b: Operand): Tensor => where(a.less(b), b, a);
/** The smaller of two. A NaN in `b` is not propagated. */
export const minimum = (a: Tensor, b: Operand): Tensor => where(a.greater(b), b, a);
export const clip = (x: Tensor, low: number, high: number): Tensor => minimum(maximum(x, low), high);

export const not = (x: Tensor): Tensor => where(x, x.cast('i32').mul(0), 1).cast('bool');
export const and = (a: Tensor, b: Tensor): Tensor => a.cast('i32').mul(b.cast('i32')).cast('bool');
export const or = (a: Tensor, b: Tensor): Tensor => a.cast('i32').add(b.cast('i32')).cast('bool');
