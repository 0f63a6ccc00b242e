/** Replaces calls that the engine has no kernel for by their meaning. */

import { fail } from '../errors.js';
import { callOf, expectTypes } from '../ir/call.js';
import { rebuild } from '../ir/graph.js';
import { at } from '../ir/path.js';
import { Tensor } from '../tensor/tensor.js';
import type { CallAttrs } from '../ir/call.js';
import type { Graph, Node, Value } from '../ir/types.js';

/** Deeper than any op is made of ops. */
const maxDepth = 64;

/**
 * @throws E_OP when a decomposition leads back to its own op
 * @param keep which calls the engine takes as they are
 */
export function expandOps(graph: Graph, keep: (call: CallAttrs, node: Node) => boolean = () => false): Graph {
  let current = graph;
  // A decomposition may call other ops; each round goes one level down.
  for (let depth = 0; ; depth++) {
    let changed = false;
    current = rebuild(current, (node, inputs) => {
      const call = callOf(node);
      if (!call || keep(call, node)) return null;
      if (depth === maxDepth) {
        fail(
          'E_OP',
          `${call.op.name}: decompose: expected primitives after ${maxDepth} levels, received a call still. Does an op decompose into itself?`,
          { op: call.op.name },
        );
      }
      changed = true;
      return at(node.path, () => meaning(call, node, inputs));
    });
    if (!changed) return current;
  }
}

function meaning({ op, attrs }: CallAttrs, node: Node, inputs: readonly Value[]): readonly Value[] {
  const made = op
    .decompose(
      inputs.map(v => new Tensor(v)),
      attrs,
    )
    .map(t => t.value);
  expectTypes(op, node.outputs, made);
  return made;
}
