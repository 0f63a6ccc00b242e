/** Custom ops: a name, a shape rule, and a meaning in terms of tensors. Kernels are separate and optional. */

import type { Tensor } from '../tensor/tensor.js';
import type { Attrs, TensorType } from './types.js';

/** Its functions are methods, so that an op with attributes of its own is an `Op` where any will do. */
export interface Op<A extends Attrs = Attrs> {
  readonly name: string;
  readonly version: number;
  /** Types of the outputs. */
  infer(inputs: readonly TensorType[], attrs: A): readonly TensorType[];
  /** The meaning: what the reference runs, what a backend without a kernel runs, what kernels are tested against. */
  decompose(inputs: readonly Tensor[], attrs: A): readonly Tensor[];
  /** Cotangents of the inputs; null where none flows. Without it, `grad` differentiates the decomposition. */
  vjp?(at: OpGradient<A>): readonly (Tensor | null)[];
}

export interface OpGradient<A extends Attrs = Attrs> {
  /** Cotangents, one for each output; null where nothing flows back, which for the first output happens only in second derivatives. */
  readonly cts: readonly (Tensor | null)[];
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly attrs: A;
}
