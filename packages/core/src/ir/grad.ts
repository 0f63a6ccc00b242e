/** Reverse-mode differentiation: adds nodes of the same kinds, so a gradient can be differentiated again. */

import { at, refuse } from './path.js';
import { callOf, expectTypes } from './call.js';
import { nodesOf } from './graph.js';
import { sameShape, showType } from './shape.js';
import { primitive } from './table.js';
import { add } from './primitives/elementwise.js';
import { full, fullLike } from './primitives/source.js';
import { reshapeNode } from './primitives/movement.js';
import { Tensor } from '../tensor/tensor.js';
import type { Node, Value } from './types.js';

/**
 * Gradients of a scalar.
 *
 * @param loss f32[]
 * @param wrt values that the loss may depend on
 * @returns one gradient for each, zeros where the loss does not depend on it
 * @throws E_GRAD when the loss is no f32 scalar
 */
export function grad(loss: Value, wrt: readonly Value[]): Value[] {
  if (loss.type.dtype !== 'f32' || loss.type.shape.length !== 0) {
    refuse('grad', 'E_GRAD', `expected a loss f32[], received ${showType(loss.type)}. Reduce it to one number.`, {
      type: loss.type,
    });
  }
  return pullback([loss], [full([], 1)], wrt).map((ct, i) => ct ?? fullLike(wrt[i]!, 0));
}

/**
 * Carries cotangents of `outputs` back to `wrt`.
 *
 * @param stop nodes not to look beyond
 * @returns null where no gradient flows
 */
function pullback(
  outputs: readonly Value[],
  cts: readonly (Value | null)[],
  wrt: readonly Value[],
  stop: ReadonlySet<Node> = new Set(),
): (Value | null)[] {
  const targets = new Set(wrt.map(v => v.node));
  const order = nodesOf(outputs, stop);
  const needed = new Set<Node>();
  for (const node of order) {
    if (targets.has(node) || node.inputs.some(v => needed.has(v.node))) needed.add(node);
  }
  const collected = new Map<Value, Value>();
  const collect = (value: Value, ct: Value): void => {
    const before = collected.get(value);
    collected.set(value, before === undefined ? ct : add(before, ct));
  };
  outputs.forEach((v, i) => {
    const ct = cts[i];
    if (ct && needed.has(v.node)) collect(v, ct);
  });
  for (const node of order.toReversed()) {
    if (!needed.has(node) || !node.outputs.some(v => collected.has(v))) continue;
    if (!node.inputs.some(v => needed.has(v.node))) continue;
    at(node.path, () => {
      const parts = step(
        node,
        node.outputs.map(v => collected.get(v) ?? null),
      );
      node.inputs.forEach((v, i) => {
        const part = parts[i];
        if (!part || !needed.has(v.node)) return;
        if (part.type.dtype !== 'f32' || !sameShape(part.type.shape, v.type.shape)) {
          refuse(
            nameOf(node),
            'E_GRAD',
            `gradient of input ${i}: expected ${showType(v.type)}, received ${showType(part.type)}. This is a fault of the op's vjp.`,
            { op: nameOf(node), input: i },
          );
        }
        collect(v, part);
      });
    });
  }
  return wrt.map(v => collected.get(v) ?? null);
}

const nameOf = (node: Node): string => callOf(node)?.op.name ?? node.op;

/** One node's rule. */
function step(node: Node, cts: readonly (Value | null)[]): readonly (Value | null)[] {
  const call = callOf(node);
  if (call === null) {
    return primitive(node.op)!.vjp({ ct: cts[0]!, out: node.outputs[0]!, inputs: node.inputs, attrs: node.attrs });
  }
  const { op, attrs } = call;
  const wrap = (v: Value): Tensor => new Tensor(v);
  if (op.vjp) {
    const parts = op.vjp({
      cts: cts.map(v => v && wrap(v)),
      inputs: node.inputs.map(wrap),
      outputs: node.outputs.map(wrap),
      attrs,
    });
    return parts.map(t => t && t.value);
  }
  // The decomposition runs on copies of the inputs, so that its gradient stops at them even where
  // one input was computed from another.
  const inputs = node.inputs.map(v => reshapeNode([v], { shape: v.type.shape }));
  const made = op.decompose(inputs.map(wrap), attrs).map(t => t.value);
  expectTypes(op, node.outputs, made);
  return pullback(made, cts, inputs, new Set(inputs.map(v => v.node)));
}
