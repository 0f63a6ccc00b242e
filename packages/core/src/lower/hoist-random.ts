/**
 * Turns each `random` node into an input that the host fills with the same bits, for engines that cannot
 * make them. Results stay identical across engines.
 */

import { fail } from '../errors.js';
import { rebuild } from '../ir/graph.js';
import { input } from '../ir/primitives/index.js';
import { sizeOf } from '../ir/shape.js';
import { randomUniform } from '../random/philox.js';
import type { Graph, HostTensor, Value } from '../ir/types.js';

export interface HoistedRandom {
  /** Name of the hidden input. */
  readonly name: string;
  /** Name of the graph input that holds the key. */
  readonly key: string;
  readonly stream: number;
  readonly shape: readonly number[];
}

export interface Hoisted {
  readonly graph: Graph;
  readonly hidden: readonly HoistedRandom[];
}

/** @throws E_RANDOM_KEY when a key is computed in the graph: the host could not know it */
export function hoistRandom(graph: Graph): Hoisted {
  const hidden: HoistedRandom[] = [];
  const values: Record<string, Value> = {};
  const hoisted = rebuild(
    graph,
    (node, inputs) => {
      if (node.op !== 'random') return null;
      const key = inputs[0]!.node;
      if (key.op !== 'input') {
        fail(
          'E_RANDOM_KEY',
          `${node.path || 'random'}: expected a key that is an input of the graph, received one from '${key.op}'. Feed the key; fold step and path into it on the host.`,
          { path: node.path },
        );
      }
      const { shape, stream } = node.attrs as { readonly shape: readonly number[]; readonly stream: number };
      const name = `$random.${hidden.length}`;
      hidden.push({ name, key: key.attrs['name'] as string, stream, shape });
      const value = input(name, { dtype: 'f32', shape });
      values[name] = value;
      return [value];
    },
    values,
  );
  return { graph: hoisted, hidden };
}

/** The numbers of one hidden input for one run. */
export function drawHoisted({ stream, shape }: HoistedRandom, key: HostTensor): HostTensor {
  const data = new Float32Array(sizeOf(shape));
  randomUniform(data, key.data[0]!, key.data[1]!, stream);
  return { dtype: 'f32', shape, data };
}
