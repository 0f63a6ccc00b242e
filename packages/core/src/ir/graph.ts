/** Graphs from values: order, rebuilding, counting. */

import { fail } from '../errors.js';
import { sameType, showType } from './shape.js';
import type { Graph, Node, Value } from './types.js';

/**
 * The nodes that `roots` need, each after the nodes that it reads.
 *
 * Walks with its own stack: a model of a thousand layers must not overflow the call stack.
 *
 * @param stop nodes that are listed, but whose inputs are not followed
 */
export function nodesOf(roots: readonly Value[], stop: ReadonlySet<Node> = new Set()): Node[] {
  const order: Node[] = [];
  const seen = new Set<Node>();
  const stack: { readonly node: Node; next: number }[] = [];
  for (const root of roots) {
    if (!seen.has(root.node)) {
      seen.add(root.node);
      stack.push({ node: root.node, next: 0 });
    }
    while (stack.length > 0) {
      const top = stack.at(-1)!;
      const child = stop.has(top.node) ? undefined : top.node.inputs[top.next++]?.node;
      if (child === undefined) {
        order.push(top.node);
        stack.pop();
      } else if (!seen.has(child)) {
        seen.add(child);
        stack.push({ node: child, next: 0 });
      }
    }
  }
  return order;
}

/**
 * A graph with the given outputs. Declared inputs that nothing reads stay in its signature.
 *
 * @throws E_NAME when two inputs share a name, or an input is read that was not declared
 */
export function makeGraph(inputs: Readonly<Record<string, Value>>, outputs: Readonly<Record<string, Value>>): Graph {
  const nodes = nodesOf([...Object.values(inputs), ...Object.values(outputs)]);
  const declared = new Set(Object.values(inputs).map(v => v.node));
  for (const node of nodes) {
    if (node.op === 'input' && !declared.has(node)) {
      const name = String(node.attrs['name']);
      fail(
        'E_NAME',
        `graph: input '${name}' is read but not declared${name in inputs ? '; another input has its name. Rename one' : '. Declare it'}.`,
        { name },
      );
    }
  }
  return { nodes, inputs, outputs };
}

/**
 * Makes a graph anew, node by node, in order. `replace` may answer with other values for a node's outputs;
 * null keeps the node (with its inputs replaced, and the very same object where none changed).
 *
 * @param added inputs that the replacements read; filled while rebuilding
 */
export function rebuild(
  graph: Graph,
  replace: (node: Node, inputs: readonly Value[]) => readonly Value[] | null,
  added: Readonly<Record<string, Value>> = {},
): Graph {
  const renamed = new Map<Value, Value>();
  const now = (v: Value): Value => renamed.get(v) ?? v;
  for (const node of graph.nodes) {
    const inputs = node.inputs.map(now);
    const made = replace(node, inputs);
    if (made === null) {
      if (inputs.every((v, i) => v === node.inputs[i])) continue;
      const copy: { outputs: Value[] } & Omit<Node, 'outputs'> = { ...node, inputs, outputs: [] };
      node.outputs.forEach(({ type, index }) => copy.outputs.push({ node: copy, index, type }));
      node.outputs.forEach((v, i) => renamed.set(v, copy.outputs[i]!));
      continue;
    }
    node.outputs.forEach((v, i) => {
      const other = made[i];
      if (other === undefined || !sameType(other.type, v.type)) {
        fail(
          'E_PASS',
          `${node.op}: expected a replacement of type ${showType(v.type)}, received ${other ? showType(other.type) : 'none'}. This is a fault of a pass.`,
          { op: node.op },
        );
      }
      renamed.set(v, other);
    });
  }
  const map = (named: Readonly<Record<string, Value>>): Record<string, Value> =>
    Object.fromEntries(Object.entries(named).map(([k, v]) => [k, now(v)]));
  return makeGraph({ ...map(graph.inputs), ...added }, map(graph.outputs));
}

/** How often each op occurs; `call` counts under the op's name. */
export function census(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const node of graph.nodes) {
    const name = node.op === 'call' ? `call ${(node.attrs['op'] as { name: string }).name}` : node.op;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
