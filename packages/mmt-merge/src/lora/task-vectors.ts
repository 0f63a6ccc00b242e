/** How the differences that adapters stand for lie to each other: whether they pull one way. */

import { fail } from '@heddle/core';
import { cosinesOf } from '../linear-algebra/cosines.js';
import { layersIn, loraConfig } from './lora.js';
import { deltaOf, type MergeableLora } from './merge.js';

/** Inner product of s A B and s' A' B', without either: the sum of (A' A)(B B') over the ranks. */
function inner(x: MergeableLora, y: MergeableLora, path: string): number {
  const [a, b, c, d] = [x.adapter[`${path}.loraA`]!, x.adapter[`${path}.loraB`]!, y.adapter[`${path}.loraA`]!, y.adapter[`${path}.loraB`]!]; // prettier-ignore
  const [from, r] = a.shape as readonly [number, number];
  const [, s] = c.shape as readonly [number, number];
  const to = b.shape[1]!;
  let sum = 0;
  for (let i = 0; i < r; i++)
    for (let j = 0; j < s; j++) {
      let [left, right] = [0, 0];
      for (let k = 0; k < from; k++) left += a.data[k * r + i]! * c.data[k * s + j]!;
      for (let k = 0; k < to; k++) right += b.data[i * to + k]! * d.data[j * to + k]!;
      sum += left * right;
    }
  const scale = ({ rank, alpha }: { readonly rank: number; readonly alpha: number }): number => alpha / rank;
  return sum * scale(loraConfig(x.options)) * scale(loraConfig(y.options));
}

export interface TaskVectors {
  /** [n][n]: cosine of the differences, over all layers. */
  readonly cosines: readonly (readonly number[])[];
  /** The same of each layer. */
  readonly byLayer: Readonly<Record<string, readonly (readonly number[])[]>>;
  /** Share of weights at which at least two adapters pull apart, by layer and over all. */
  readonly signConflicts: Readonly<Record<string, number>>;
  readonly signConflict: number;
}

/** @throws E_ADAPTER for fewer than two adapters */
export function taskVectors(adapters: readonly MergeableLora[]): TaskVectors {
  const layers = adapters[0] ? layersIn(adapters[0].adapter) : [];
  const n = adapters.length;
  const products = (path: string): number[][] => {
    const found = Array.from({ length: n }, () => new Array<number>(n).fill(0));
    for (let i = 0; i < n; i++)
      for (let j = i; j < n; j++) found[i]![j] = found[j]![i] = inner(adapters[i]!, adapters[j]!, path);
    return found;
  };
  return compareDifferences(layers, n, products, path => adapters.map(one => deltaOf(one, path)));
}

/**
 * @param products [n][n] inner products of the differences of a layer
 * @param deltasOf the differences themselves, for their signs
 * @throws E_ADAPTER for fewer than two
 */
export function compareDifferences(
  layers: readonly string[],
  n: number,
  products: (layer: string) => readonly (readonly number[])[],
  deltasOf: (layer: string) => readonly Float32Array[],
): TaskVectors {
  if (n < 2) fail('E_ADAPTER', `task vectors: expected at least two modules, received ${n}.`, { received: n });
  const total = Array.from({ length: n }, () => new Array<number>(n).fill(0));
  const byLayer: Record<string, readonly (readonly number[])[]> = {};
  const signConflicts: Record<string, number> = {};
  let [apart, weights] = [0, 0];
  for (const path of layers) {
    const own = products(path);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) total[i]![j]! += own[i]![j]!;
    byLayer[path] = cosinesOf(own);
    const deltas = deltasOf(path);
    let pulled = 0;
    for (let at = 0; at < deltas[0]!.length; at++)
      if (deltas.some(delta => delta[at]! > 0) && deltas.some(delta => delta[at]! < 0)) pulled++;
    signConflicts[path] = pulled / deltas[0]!.length;
    apart += pulled;
    weights += deltas[0]!.length;
  }
  return { cosines: cosinesOf(total), byLayer, signConflicts, signConflict: apart / weights };
}

export interface GroupCosines {
  /** Means over pairs of adapters of one group, and of two; null without such pairs. */
  readonly within: number | null;
  readonly between: number | null;
}

/** @param groups of each adapter, in their order */
export function groupCosines({ cosines }: Pick<TaskVectors, 'cosines'>, groups: readonly string[]): GroupCosines {
  const [within, between]: [number[], number[]] = [[], []];
  for (let i = 0; i < groups.length; i++)
    for (let j = i + 1; j < groups.length; j++) (groups[i] === groups[j] ? within : between).push(cosines[i]![j]!);
  const mean = (all: readonly number[]): number | null =>
    all.length === 0 ? null : all.reduce((a, b) => a + b, 0) / all.length;
  return { within: mean(within), between: mean(between) };
}
