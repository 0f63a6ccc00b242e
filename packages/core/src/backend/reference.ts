/**
 * The reference interpreter: the meaning of a graph. Slow on purpose; arithmetic in double precision,
 * rounded to float32 after each node.
 */

import { fail } from '../errors.js';
import { check } from '../lower/check.js';
import { expandOps } from '../lower/expand-ops.js';
import { allocate } from '../ir/primitives/source.js';
import { at } from '../ir/path.js';
import { sizeOf } from '../ir/shape.js';
import { primitive } from '../ir/table.js';
import { checkFeeds, checkInto, checkKept, isHost } from './feeds.js';
import type { Cells } from '../ir/primitive.js';
import type { Graph, HostTensor, Node, TensorType, Types, Value } from '../ir/types.js';
import type { Backend, BackendOffer, DeviceTensor, Executable, Limits } from './contract.js';

export interface ReferenceOptions {
  /** `f64` keeps floats in double precision throughout, to check gradients by finite differences. */
  readonly precision?: 'f32' | 'f64';
}

const limits: Limits = {
  maxRank: 6,
  maxElements: 2 ** 31,
  exactIntegers: 2 ** 31,
  dtypes: ['f32', 'i32', 'bool'],
  deterministic: true,
  resident: false,
  tolerance: 0,
};

const name = 'reference';

/** Opens the reference backend. */
export function openReference({ precision = 'f32' }: ReferenceOptions = {}): Backend {
  const open = new Set<DeviceTensor>();
  let closed = false;
  const alive = (): void => {
    if (closed) fail('E_CLOSED', 'reference: expected an open backend, received a call after close. Open another.', {});
  };
  const hold = (host: HostTensor): DeviceTensor => {
    const held: Held = {
      type: { dtype: host.dtype, shape: host.shape },
      backend: name,
      host,
      close: () => {
        held.host = null;
        open.delete(held);
      },
    };
    open.add(held);
    return held;
  };
  return {
    name,
    format: null,
    limits,
    async compile(graph, { constants = {} } = {}): Promise<Executable> {
      alive();
      const lowered = check(expandOps(check(graph)), limits, name);
      const inputs = types(lowered.inputs);
      const signature = {
        inputs: Object.fromEntries(Object.entries(inputs).filter(([n]) => !(n in constants))),
        outputs: types(lowered.outputs),
      };
      let done = false;
      return {
        signature,
        async run(feeds, { signal, keep = [], donate = {}, into = {} } = {}) {
          alive();
          if (done)
            fail('E_CLOSED', 'reference: expected an open executable, received a run after close. Compile again.', {});
          signal?.throwIfAborted();
          checkFeeds(signature, feeds, name);
          checkKept(signature, feeds, keep, donate);
          checkInto(signature, into);
          const fed = Object.fromEntries(
            Object.entries({ ...constants, ...feeds }).map(([n, t]) => [n, isHost(t) ? t : content(t)]),
          );
          await breath();
          signal?.throwIfAborted();
          const results = interpret(lowered, fed, precision, signal);
          for (const input of Object.values(donate)) {
            const given = feeds[input]!;
            if (!isHost(given)) given.close();
          }
          const split = (kept: boolean): [string, HostTensor][] =>
            Object.entries(results).filter(([n]) => keep.includes(n) === kept);
          return {
            outputs: Object.fromEntries(split(false)),
            kept: Object.fromEntries(split(true).map(([n, t]) => [n, hold(t)])),
          };
        },
        explain: () =>
          `reference: ${lowered.nodes.length} nodes, every op decomposed, double precision rounded to ${precision} per node`,
        async close() {
          done = true;
        },
      };
    },
    async upload(host) {
      alive();
      return hold(copied(host));
    },
    async download(device) {
      alive();
      return copied(content(device));
    },
    live: () => open.size,
    async close() {
      closed = true;
      open.clear();
    },
  };
}

/** A turn of the event loop: runs in a row would otherwise keep timers, signals and drawing waiting until the last one. */
const breath = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));

interface Held extends DeviceTensor {
  host: HostTensor | null;
}

function content(device: DeviceTensor): HostTensor {
  const { host } = device as Held;
  return (
    host ??
    fail(
      'E_CLOSED',
      'reference: expected an open tensor, received one after its close. Keep it open until its last use.',
      {},
    )
  );
}

/** Device memory is nobody else's: what the caller does to its array later must not reach it. */
const copied = ({ dtype, shape, data }: HostTensor): HostTensor => ({ dtype, shape, data: data.slice() });

const types = (values: Readonly<Record<string, Value>>): Types =>
  Object.fromEntries(Object.entries(values).map(([n, v]) => [n, v.type]));

/**
 * Runs a graph of primitives. Values are dropped after their last reader.
 *
 * @throws E_INDEX for an index out of range, and whatever `signal` was aborted with
 */
export function interpret(
  graph: Graph,
  feeds: Readonly<Record<string, HostTensor>>,
  precision: 'f32' | 'f64',
  signal?: AbortSignal,
): Record<string, HostTensor> {
  const cells = new Map<Node, Cells>();
  const last = lastReaders(graph);
  const results = new Set(Object.values(graph.outputs).map(v => v.node));
  for (const node of graph.nodes) {
    signal?.throwIfAborted();
    const { type } = node.outputs[0]!;
    if (node.op === 'input') {
      const { data } = feeds[node.attrs['name'] as string]!;
      cells.set(node, { type, data: results.has(node) ? data.slice() : data });
    } else {
      const out: Cells = { type, data: memory(type, precision) };
      at(node.path, () =>
        primitive(node.op)!.evaluate(
          node.inputs.map(v => cells.get(v.node)!),
          node.attrs,
          out,
        ),
      );
      cells.set(node, out);
    }
    for (const dead of last.get(node) ?? []) cells.delete(dead);
  }
  return Object.fromEntries(
    Object.entries(graph.outputs).map(([n, v]) => [
      n,
      { ...v.type, data: cells.get(v.node)!.data as HostTensor['data'] },
    ]),
  );
}

const memory = ({ dtype, shape }: TensorType, precision: 'f32' | 'f64'): Cells['data'] =>
  dtype === 'f32' && precision === 'f64' ? new Float64Array(sizeOf(shape)) : allocate(dtype, sizeOf(shape));

/** For each node, the nodes that nobody reads after it. */
function lastReaders(graph: Graph): Map<Node, Node[]> {
  const reader = new Map<Node, Node>();
  for (const node of graph.nodes) for (const v of node.inputs) reader.set(v.node, node);
  for (const v of Object.values(graph.outputs)) reader.delete(v.node);
  const dead = new Map<Node, Node[]>();
  for (const [node, by] of reader) dead.set(by, [...(dead.get(by) ?? []), node]);
  return dead;
}

/** Always there, and last in every preference list. */
export const referenceOffer: BackendOffer = {
  name,
  unavailable: async () => null,
  describe: async () => ({ engine: 'interpreter in JavaScript', threads: 1 }),
  open: async options => openReference(options as ReferenceOptions | undefined),
};
