/** From a function of tensors to a graph. */

import { makeGraph } from '../ir/graph.js';
import * as grads from '../ir/grad.js';
import { input } from '../ir/primitives/index.js';
import type { Graph, Types, Value } from '../ir/types.js';
import { Tensor } from './tensor.js';

/** A hole to be filled when the graph runs. */
export const placeholder = (name: string, type: Types[string]): Tensor => new Tensor(input(name, type));

/**
 * Runs `body` once on symbolic inputs and keeps what it made.
 *
 * @param types names and types of the inputs
 * @param body gets one tensor for each name; returns the named outputs
 */
export function trace<const T extends Types>(
  types: T,
  body: (inputs: { readonly [K in keyof T]: Tensor }) => Readonly<Record<string, Tensor>>,
): Graph {
  const inputs = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, placeholder(name, type)]));
  const outputs = body(inputs as { readonly [K in keyof T]: Tensor });
  return makeGraph(values(inputs), values(outputs));
}

const values = (tensors: Readonly<Record<string, Tensor>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, t.value]));

/**
 * Gradients of a scalar with respect to tensors, as tensors of the same graph.
 *
 * @shape loss [] -> one gradient for each of `wrt`, of its shape
 */
export const grad = (loss: Tensor, wrt: readonly Tensor[]): Tensor[] =>
  grads
    .grad(
      loss.value,
      wrt.map(t => t.value),
    )
    .map(v => new Tensor(v));
