/**
 * Makes a graph smaller without changing a bit of its results: movement that moves nothing, arithmetic with 0 and 1,
 * constants of constants, equal subgraphs once, nodes that nobody reads.
 */

import { callOf } from '../ir/call.js';
import { rebuild } from '../ir/graph.js';
import { sameShape, sizeOf } from '../ir/shape.js';
import { builder, primitive } from '../ir/table.js';
import { allocate } from '../ir/primitives/source.js';
import * as p from '../ir/primitives/index.js';
import type { Graph, HostData, Node, Shape, Value } from '../ir/types.js';

/** Constants grow no larger than this by folding, so that no model file fills with zeros. */
const maxFolded = 1024;

export function fold(graph: Graph): Graph {
  let current = graph;
  for (let round = 0; round < 8; round++) {
    const before = current.nodes.length;
    const known = new Map<string, Node>();
    const numbers = new Map<Node, number>();
    /** Of every node met, those that this round makes too: two without a number would look the same. */
    const numberFor = (node: Node): number => {
      const number = numbers.get(node) ?? numbers.size;
      numbers.set(node, number);
      return number;
    };
    let changed = false;
    current = rebuild(current, (node, inputs) => {
      const simpler = simplify(node, inputs) ?? foldConstants(node, inputs);
      if (simpler) {
        changed = true;
        return [simpler];
      }
      const key = identity(node, inputs, numberFor);
      const twin = key === null ? undefined : known.get(key);
      if (twin) {
        changed = true;
        return twin.outputs;
      }
      const copy = inputs.every((v, i) => v === node.inputs[i]) ? node : withInputs(node, inputs);
      if (key !== null) known.set(key, copy);
      return copy === node ? null : copy.outputs;
    });
    if (!changed && current.nodes.length === before) break;
  }
  return current;
}

function withInputs(node: Node, inputs: readonly Value[]): Node {
  const copy: { outputs: Value[] } & Omit<Node, 'outputs'> = { ...node, inputs, outputs: [] };
  node.outputs.forEach(({ type, index }) => copy.outputs.push({ node: copy, index, type }));
  return copy;
}

/** Equal strings mean equal values. null: this node is like no other. */
function identity(node: Node, inputs: readonly Value[], numberFor: (node: Node) => number): string | null {
  if (node.op === 'input') return null;
  const call = callOf(node);
  const attrs = call ? [call.op.name, call.op.version, call.attrs] : node.attrs;
  if (node.op === 'constant') {
    const { type, data } = node.attrs as { readonly type: unknown; readonly data: ArrayLike<number> };
    return data.length > 16
      ? null
      : `constant ${JSON.stringify(type)} ${Array.from(data, n => (Object.is(n, -0) ? '-0' : String(n))).join()}`;
  }
  const from = inputs.map(v => `${numberFor(v.node)}.${v.index}`);
  return `${node.op} ${JSON.stringify(attrs, exactNumber)} ${from.join()}`;
}

/** JSON writes NaN, the infinities and -0 as what they are not. */
const exactNumber = (_key: string, value: unknown): unknown =>
  typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
    ? `number ${Object.is(value, -0) ? '-0' : value}`
    : value;

/** A value that is the same as this node's, or null. */
function simplify({ op, attrs, outputs: [out] }: Node, inputs: readonly Value[]): Value | null {
  const [x, z] = inputs;
  switch (op) {
    case 'stopGradient':
      return x!;
    case 'cast':
      return x!.type.dtype === attrs['dtype'] ? x! : null;
    case 'reshape':
      if (sameShape(x!.type.shape, out!.type.shape)) return x!;
      return x!.node.op === 'reshape' ? p.reshape(x!.node.inputs[0]!, out!.type.shape) : null;
    case 'transpose': {
      const order = attrs['permutation'] as readonly number[];
      if (order.every((a, i) => a === i)) return x!;
      // Axes of size 1 move nothing: one token's heads, for instance, lie as they will.
      const longer = order.filter(a => x!.type.shape[a] !== 1);
      if (longer.every((a, i) => i === 0 || longer[i - 1]! < a)) return p.reshape(x!, out!.type.shape);
      if (x!.node.op !== 'transpose') return null;
      const first = x!.node.attrs['permutation'] as readonly number[];
      return p.transpose(
        x!.node.inputs[0]!,
        order.map(a => first[a]!),
      );
    }
    case 'broadcast':
      return x!.node.op === 'broadcast' ? p.broadcast(x!.node.inputs[0]!, out!.type.shape) : null;
    case 'add':
      if (isNumber(z!, 0)) return x!;
      return isNumber(x!, 0) ? z! : joinPads(x!, z!);
    case 'sub':
      return isNumber(z!, 0) ? x! : null;
    case 'mul':
      if (isNumber(z!, 1)) return x!;
      return isNumber(x!, 1) ? z! : null;
    case 'div':
      return isNumber(z!, 1) ? x! : null;
    case 'where':
      return inputs[1] === inputs[2] ? inputs[1]! : null;
    default:
      return null;
  }
}

/**
 * Two padded pieces that stand side by side, added: one longer piece. This is what the gradients of neighbouring
 * slices come to, and it saves as many passes over the whole as there are slices.
 */
function joinPads(x: Value, z: Value): Value | null {
  if (x.node.op !== 'pad' || z.node.op !== 'pad') return null;
  const [a, b] = [x.node, z.node].map(node => ({
    piece: node.inputs[0]!,
    low: node.attrs['low'] as Shape,
    high: node.attrs['high'] as Shape,
  }));
  const axes = x.type.shape.flatMap((_, i) => (a!.low[i] === b!.low[i] && a!.high[i] === b!.high[i] ? [] : [i]));
  const axis = axes[0];
  if (axis === undefined || axes.length > 1) return null;
  const [first, second] = a!.low[axis]! < b!.low[axis]! ? [a!, b!] : [b!, a!];
  if (first.low[axis]! + first.piece.type.shape[axis]! !== second.low[axis]!) return null;
  const pieces = [first, second].flatMap(({ piece }) =>
    piece.node.op === 'concat' && piece.node.attrs['axis'] === axis ? piece.node.inputs : [piece],
  );
  return p.pad(
    p.concat(pieces, axis),
    first.low,
    first.high.map((n, i) => (i === axis ? second.high[i]! : n)),
  );
}

/** The number that this value holds everywhere, or null. */
export function numberOf(v: Value): number | null {
  const from = v.node.op === 'broadcast' || v.node.op === 'reshape' ? v.node.inputs[0]! : v;
  if (from !== v) return numberOf(from);
  if (v.node.op !== 'constant') return null;
  const data = v.node.attrs['data'] as ArrayLike<number>;
  return data.length === 1 ? data[0]! : null;
}

// Adding 0 to -0 gives 0: the one bit that folding may change, and no comparison sees it.
const isNumber = (v: Value, n: number): boolean => numberOf(v) === n;

function single({ type, node }: Value): HostData {
  const held = node.attrs['data'] as HostData | Float64Array;
  return type.dtype === 'f32' ? Float32Array.from(held) : (held as HostData);
}

function foldConstants(node: Node, inputs: readonly Value[]): Value | null {
  if (inputs.length === 0 || node.op === 'call' || node.op === 'broadcast' || node.op === 'random') return null;
  const { type } = node.outputs[0]!;
  if (sizeOf(type.shape) > maxFolded || !inputs.every(v => v.node.op === 'constant')) return null;
  // In single precision, as engines hold constants: a sum of two doubles may round to another bit.
  const data = allocate(type.dtype, sizeOf(type.shape));
  const cells = inputs.map(v => ({ type: v.type, data: single(v) }));
  primitive(node.op)!.evaluate(cells, node.attrs, { type, data });
  return builder('constant')!([], { type, data: type.dtype === 'f32' ? Float64Array.from(data) : data });
}
