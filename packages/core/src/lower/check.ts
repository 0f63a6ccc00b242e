/** Refuses a graph that no engine could run, before any engine starts. */

import { fail } from '../errors.js';
import { at } from '../ir/path.js';
import { callOf } from '../ir/call.js';
import { sameType, showType, sizeOf } from '../ir/shape.js';
import { primitive } from '../ir/table.js';
import type { Limits } from '../backend/contract.js';
import type { Graph, Node, TensorType, Value } from '../ir/types.js';

/**
 * Checks order, types and attributes of every node, and the limits of an engine if given.
 *
 * @throws E_GRAPH naming the node and its path; E_LIMIT naming the engine's limit
 */
export function check(
  graph: Graph,
  limits?: Pick<Limits, 'maxRank' | 'maxElements' | 'exactIntegers' | 'dtypes'>,
  engine = 'engine',
): Graph {
  const seen = new Set<Node>();
  for (const node of graph.nodes) {
    const name = callOf(node)?.op.name ?? node.op;
    const where = node.path === '' ? name : `${node.path}: ${name}`;
    for (const v of node.inputs) {
      if (!seen.has(v.node))
        fail(
          'E_GRAPH',
          `${where}: expected its inputs to stand before it, received one from a later node. Build graphs with makeGraph.`,
          { op: name },
        );
      whole(v, where, name);
    }
    seen.add(node);
    const promised = inferred(node, where);
    if (promised.length !== node.outputs.length || !promised.every((t, i) => sameType(t, node.outputs[i]!.type))) {
      fail(
        'E_GRAPH',
        `${where}: expected ${promised.map(showType).join(', ')}, received ${node.outputs.map(v => showType(v.type)).join(', ')}. A pass changed it wrongly.`,
        { op: name },
      );
    }
    if (limits) node.outputs.forEach(v => within(v.type, limits, where, engine));
    if (limits && (node.op === 'gather' || node.op === 'scatterAdd')) {
      const rows =
        node.op === 'gather'
          ? node.inputs[0]!.type.shape[node.attrs['axis'] as number]!
          : (node.attrs['size'] as number);
      if (rows > limits.exactIntegers) {
        fail(
          'E_LIMIT',
          `${where}: ${engine} counts exactly up to ${limits.exactIntegers}, received ${rows} rows. Use another engine or a smaller table.`,
          { rows },
        );
      }
    }
  }
  for (const [name, v] of Object.entries(graph.outputs)) {
    if (!seen.has(v.node))
      fail(
        'E_GRAPH',
        `output '${name}': expected a value of a node of the graph, received one of another. Build graphs with makeGraph.`,
        { name },
      );
    whole(v, `output '${name}'`, name);
  }
  return graph;
}

/** A value repeats the type of the output that it stands for. */
function whole(v: Value, where: string, op: string): void {
  const made = v.node.outputs[v.index];
  if (!made || !sameType(made.type, v.type)) {
    fail(
      'E_GRAPH',
      `${where}: expected a value of type ${made ? showType(made.type) : `output ${v.index}, which '${v.node.op}' does not have`}, received ${showType(v.type)}. A pass changed it wrongly.`,
      { op },
    );
  }
}

function inferred(node: Node, where: string): readonly TensorType[] {
  const types = node.inputs.map(v => v.type);
  const call = callOf(node);
  if (call) return at(node.path, () => call.op.infer(types, call.attrs));
  const rule = primitive(node.op);
  if (!rule)
    fail(
      'E_GRAPH',
      `${where}: expected a primitive or a call, received '${node.op}'. Was the graph made by a newer version?`,
      { op: node.op },
    );
  if (rule.arity === null ? types.length === 0 : types.length !== rule.arity) {
    fail(
      'E_GRAPH',
      `${where}: expected ${rule.arity ?? 'at least 1'} inputs, received ${types.length}. A pass changed it wrongly.`,
      { op: node.op, inputs: types.length },
    );
  }
  return [at(node.path, () => rule.infer(types, node.attrs))];
}

function within(
  type: TensorType,
  limits: Pick<Limits, 'maxRank' | 'maxElements' | 'dtypes'>,
  where: string,
  engine: string,
): void {
  if (type.shape.length > limits.maxRank) {
    fail(
      'E_LIMIT',
      `${where}: ${engine} takes at most ${limits.maxRank} axes, received ${showType(type)}. Fold axes with reshape.`,
      { type },
    );
  }
  if (sizeOf(type.shape) > limits.maxElements) {
    fail(
      'E_LIMIT',
      `${where}: ${engine} takes at most ${limits.maxElements} elements in a tensor, received ${showType(type)}. Use a smaller batch or length.`,
      { type },
    );
  }
  if (!limits.dtypes.includes(type.dtype)) {
    fail('E_LIMIT', `${where}: ${engine} takes ${limits.dtypes.join(', ')}, received ${showType(type)}. Cast it.`, {
      type,
    });
  }
}
