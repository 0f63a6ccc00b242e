/** Optimizers: functions of tensors, one parameter at a time, so that they stand in the graph. */

import type { Shape } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';

export interface Slot {
  readonly shape: Shape;
  readonly fill: number;
}

export interface Update {
  /** Path of the parameter. */
  readonly name: string;
  readonly parameter: Tensor;
  readonly gradient: Tensor;
  readonly state: Readonly<Record<string, Tensor>>;
  /** f32[] each: what depends on the step alone, worked out on the host in double precision. */
  readonly scalars: Readonly<Record<string, Tensor>>;
}

export interface Optimizer {
  readonly name: string;
  /** What is kept for a parameter of this shape. */
  state(shape: Shape): Readonly<Record<string, Slot>>;
  /** @param step counts from 1 */
  scalars(step: number, rate: number): Readonly<Record<string, number>>;
  update(at: Update): { readonly parameter: Tensor; readonly state: Readonly<Record<string, Tensor>> };
}

/** An optimizer by name; `options` is plain JSON. */
export interface OptimizerFactory {
  readonly name: string;
  create(options: Readonly<Record<string, unknown>>): Optimizer;
}

/** Which parameters decay: matrices by default, not gains and biases. */
export type Decays = (name: string, shape: Shape) => boolean;
export const matricesOnly: Decays = (_name, shape) => shape.length > 1;
