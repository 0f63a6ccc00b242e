/** Trace, reference and run in one call: for tests, notebooks and one-off numbers. */

import { interpret } from '../backend/reference.js';
import { expandOps } from '../lower/expand-ops.js';
import { sizeOf } from '../ir/shape.js';
import { trace } from './trace.js';
import type { Dtype, HostTensor, Shape } from '../ir/types.js';
import type { Tensor } from './tensor.js';

const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;

/** Host numbers with a shape. */
export function host(shape: Shape, data: ArrayLike<number>, dtype: Dtype = 'f32'): HostTensor {
  return { dtype, shape, data: arrays[dtype].from(data) };
}

/** Host zeros. */
export const hostZeros = (shape: Shape, dtype: Dtype = 'f32'): HostTensor => ({
  dtype,
  shape,
  data: new arrays[dtype](sizeOf(shape)),
});

/**
 * What a function of tensors gives for these numbers.
 *
 * @example
 * evaluate(x => x.square().sum(), host([3], [1, 2, 3])).data // [14]
 */
export function evaluate(fn: (...inputs: Tensor[]) => Tensor, ...inputs: readonly HostTensor[]): HostTensor {
  return evaluateAll((...x) => ({ out: fn(...x) }), inputs)['out']!;
}

/** The same for several named results. */
export function evaluateAll(
  fn: (...inputs: Tensor[]) => Readonly<Record<string, Tensor>>,
  inputs: readonly HostTensor[],
): Record<string, HostTensor> {
  const named = Object.fromEntries(inputs.map((t, i) => [String(i), t]));
  const types = Object.fromEntries(inputs.map(({ dtype, shape }, i) => [String(i), { dtype, shape }]));
  const graph = expandOps(trace(types, holes => fn(...inputs.map((_, i) => holes[String(i)]!))));
  return interpret(graph, named, 'f32');
}
