/**
 * Turns each `random` node into an input that the host fills with the same bits, for engines that cannot
 * make them. Results stay identical across engines.
 *
 * Dropout only asks whether a number lies below a rate. There the host answers that: a quarter of the bytes, and one pass
 * over them less.
 */

import { fail } from '../errors.js';
import { rebuild } from '../ir/graph.js';
import { input } from '../ir/primitives/index.js';
import { sizeOf } from '../ir/shape.js';
import { randomBelow, randomUniform } from '../random/philox.js';
import type { Graph, HostTensor, Node, TensorType, Value } from '../ir/types.js';

export interface HoistedRandom {
  /** Name of the hidden input. */
  readonly name: string;
  /** Name of the graph input that holds the key. */
  readonly key: string;
  readonly stream: number;
  readonly shape: readonly number[];
  /** Asks for bools, whether each number lies below this, in place of the numbers. */
  readonly below?: number;
}

export interface Hoisted {
  readonly graph: Graph;
  readonly hidden: readonly HoistedRandom[];
}

/** @throws E_RANDOM_KEY when a key is computed in the graph: the host could not know it */
export function hoistRandom(graph: Graph): Hoisted {
  const hidden: HoistedRandom[] = [];
  const values: Record<string, Value> = {};
  const hole = ({ node }: Value, below?: number): Value => {
    const key = node.inputs[0]!.node;
    if (key.op !== 'input') {
      fail(
        'E_RANDOM_KEY',
        `${node.path || 'random'}: expected a key that is an input of the graph, received one from '${key.op}'. Feed the key; fold step and path into it on the host.`,
        { path: node.path },
      );
    }
    const { shape, stream } = node.attrs as { readonly shape: readonly number[]; readonly stream: number };
    const name = `$random.${hidden.length}`;
    const wanted = { name, key: key.attrs['name'] as string, stream, shape, ...(below === undefined ? {} : { below }) };
    hidden.push(wanted);
    return (values[name] = input(name, hoistedType(wanted)));
  };
  const compared = onlyCompared(graph);
  const hoisted = rebuild(
    graph,
    node => {
      if (node.op === 'random') return compared.has(node) ? null : [hole(node.outputs[0]!)];
      const [left] = node.inputs;
      return node.op === 'less' && left && compared.has(left.node) ? [hole(left, boundOf(node)!)] : null;
    },
    values,
  );
  return { graph: hoisted, hidden };
}

/** Random nodes of which nothing is asked but, once, whether their numbers lie below a constant. */
function onlyCompared(graph: Graph): ReadonlySet<Node> {
  const readers = new Map<Node, (Node | null)[]>();
  const note = ({ node }: Value, reader: Node | null): void => {
    if (node.op === 'random') readers.set(node, [...(readers.get(node) ?? []), reader]);
  };
  for (const node of graph.nodes) for (const value of node.inputs) note(value, node);
  for (const value of Object.values(graph.outputs)) note(value, null);
  const found = [...readers].filter(
    ([random, [first, ...more]]) =>
      first?.op === 'less' && more.length === 0 && first.inputs[0]!.node === random && boundOf(first) !== null,
  );
  return new Set(found.map(([random]) => random));
}

/** What all numbers of the left side are compared with: one constant, broadcast or not; null for anything else. */
function boundOf({ inputs }: Node): number | null {
  let bound = inputs[1]!.node;
  while (bound.op === 'broadcast' || bound.op === 'reshape') bound = bound.inputs[0]!.node;
  const data = bound.op === 'constant' ? (bound.attrs['data'] as ArrayLike<number>) : [];
  return data.length === 1 ? Math.fround(data[0]!) : null;
}

/** What `drawHoisted` gives. */
export const hoistedType = ({ shape, below }: HoistedRandom): TensorType => ({
  dtype: below === undefined ? 'f32' : 'bool',
  shape,
});

/** The numbers of one hidden input for one run, or whether each lies below its bound. */
export function drawHoisted({ stream, shape, below }: HoistedRandom, key: HostTensor): HostTensor {
  if (below !== undefined) {
    const data = new Uint8Array(sizeOf(shape));
    randomBelow(data, key.data[0]!, key.data[1]!, stream, below);
    return { dtype: 'bool', shape, data };
  }
  const data = new Float32Array(sizeOf(shape));
  randomUniform(data, key.data[0]!, key.data[1]!, stream);
  return { dtype: 'f32', shape, data };
}
