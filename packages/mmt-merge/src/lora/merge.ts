/**
 * Several adapters as one: by the differences that they stand for, brought back to a rank by singular values, or factor by
 * factor as PEFT's `add_weighted_adapter` does, whose product is not the merged difference.
 */

import { fail, streamOf, uniforms, type HostTensor, type MergeMethod } from '@heddle/core';
import { mergeArrays, withDefaults } from '../apply/tensors.js';
import { factors, product, relativeDistance } from '../linear-algebra/svd.js';
import { mergeFactors } from '../run/factors.js';
import { layersIn, loraConfig, type LoraOptions, type Parameters } from './lora.js';

export interface MergeableLora {
  readonly adapter: Parameters;
  readonly options: LoraOptions;
}

export interface LoraMergeOptions {
  readonly method: MergeMethod;
  /** Values of the method's parameters for all models, such as `{ weight: 0.5, density: 0.5 }`, or for each. */
  readonly each?: Readonly<Record<string, number>> | readonly Readonly<Record<string, number>>[];
  /** Values of its other parameters, such as `{ lambda: 1 }`. */
  readonly merge?: Readonly<Record<string, number>>;
  /** Default `delta`. */
  readonly mode?: 'delta' | 'factors';
  /** Of the result of `delta`. Default that of the first adapter. */
  readonly rank?: number;
  /** Of methods that drop at random. Default 0. */
  readonly seed?: number;
}

export interface MergedLora extends MergeableLora {
  /** What the rank left out, as a share of the merged difference: its mean over layers, and the worst. 0 for `factors`. */
  readonly truncation: { readonly mean: number; readonly worst: number };
  /**
   * By layer: sum of what the merged difference is over the sum of what the weighted differences are, both in absolute values.
   * Trimming, elections and opposite signs take the rest.
   */
  readonly retained: Readonly<Record<string, number>>;
}

/** s A B of a layer, [from, to]. */
export function deltaOf({ adapter, options }: MergeableLora, path: string): Float32Array {
  const { rank, alpha } = loraConfig(options);
  const [a, b] = [adapter[`${path}.loraA`]!, adapter[`${path}.loraB`]!];
  const delta = product(a.data as Float32Array, b.data as Float32Array, a.shape[0]!, b.shape[1]!);
  for (let i = 0; i < delta.length; i++) delta[i]! *= alpha / rank;
  return delta;
}

/** @throws E_ADAPTER for none, or of different layers or shapes; E_MERGE for parameters that the method has not */
export function mergeLora(
  adapters: readonly MergeableLora[],
  { method, each = {}, merge = {}, mode = 'delta', rank: asked, seed = 0 }: LoraMergeOptions,
): MergedLora {
  const [first] = adapters;
  if (!first) return fail('E_ADAPTER', 'merge: expected at least one adapter, received none.', {});
  const layers = sharedLayers(adapters);
  const values = adapters.map((_, i) => (Array.isArray(each) ? (each as readonly Readonly<Record<string, number>>[])[i] ?? {} : each) as Readonly<Record<string, number>>); // prettier-ignore
  const own = values.map((one, i) => withDefaults(method, 'model', one, `${method.name}, adapter ${i}`));
  const options = withDefaults(method, 'merge', merge);
  const rank = mode === 'factors' ? loraConfig(first.options).rank : (asked ?? loraConfig(first.options).rank);
  const adapter: Record<string, HostTensor> = {};
  const left: number[] = [];
  const retained: Record<string, number> = {};
  for (const path of layers) {
    const shapeA = first.adapter[`${path}.loraA`]!.shape as readonly [number, number];
    const shapeB = first.adapter[`${path}.loraB`]!.shape as readonly [number, number];
    const [from, to] = [shapeA[0], shapeB[1]];
    const put = (a: Float32Array, b: Float32Array, width: number): void => {
      adapter[`${path}.loraA`] = { dtype: 'f32', shape: [from, width], data: a };
      adapter[`${path}.loraB`] = { dtype: 'f32', shape: [width, to], data: b };
    };
    const deltas = adapters.map(one => deltaOf(one, path));
    if (mode === 'factors') {
      const side = (name: 'loraA' | 'loraB'): Float32Array =>
        mergeFactors({
          method: method.name,
          tensors: adapters.map(one => one.adapter[`${path}.${name}`]!.data as Float32Array),
          factors: adapters.map((one, i) => rootOf(own[i]!['weight'] ?? 1, one.options)),
          densities: own.map(one => one['density'] ?? 1),
          seed,
          stream: streamOf(`${path}.${name}`),
        });
      const [a, b] = [side('loraA'), side('loraB')];
      put(a, b, rank);
      retained[path] = retainedShare(product(a, b, from, to), deltas, own);
      continue;
    }
    const base = method.laws?.needsBase === true ? new Float32Array(from * to) : null;
    const draw = uniforms(seed, streamOf(path));
    const merged = mergeArrays(method, {
      shape: [from, to],
      models: deltas,
      base,
      options,
      each: own,
      ...(method.random === true ? { uniforms: deltas.map(delta => Float32Array.from(delta, () => draw())) } : {}),
    }) as Float32Array;
    retained[path] = retainedShare(merged, deltas, own);
    const { a: right, b: leftSide, values: singular } = factors({ rows: from, columns: to, data: merged }, rank);
    // Fewer singular values than asked: the rest of the factors is nothing.
    const width = singular.length;
    put(widened(leftSide, from, width, rank), longer(right, rank * to), rank);
    left.push(relativeDistance(merged, product(leftSide, right, from, to)));
  }
  return {
    adapter,
    // Factors hold the whole scale.
    options: { ...first.options, rank, alpha: rank },
    truncation: {
      mean: left.length === 0 ? 0 : left.reduce((sum, x) => sum + x, 0) / left.length,
      worst: Math.max(0, ...left),
    },
    retained,
  };
}

/** Of the mass of all differences, what a merge of them has. */
export function retainedShare(
  merged: Float32Array,
  deltas: readonly Float32Array[],
  each: readonly Readonly<Record<string, number>>[],
): number {
  const mass = (x: Float32Array): number => x.reduce((sum, y) => sum + Math.abs(y), 0);
  const all = deltas.reduce((sum, delta, i) => sum + Math.abs(each[i]!['weight'] ?? 1) * mass(delta), 0);
  return all === 0 ? 0 : mass(merged) / all;
}

/** [rows, width] -> [rows, rank], zeros behind. */
function widened(x: Float32Array, rows: number, width: number, rank: number): Float32Array {
  if (width === rank) return x;
  const out = new Float32Array(rows * rank);
  for (let i = 0; i < rows; i++) out.set(x.subarray(i * width, (i + 1) * width), i * rank);
  return out;
}

function longer(x: Float32Array, length: number): Float32Array {
  if (x.length === length) return x;
  const out = new Float32Array(length);
  out.set(x);
  return out;
}

/** What PEFT multiplies both factors with: the root of weight times scale. */
const rootOf = (weight: number, options: LoraOptions): number => {
  const { rank, alpha } = loraConfig(options);
  if (weight < 0)
    fail('E_ADAPTER', `merge, mode factors: expected weights from 0 up, received ${weight}. Use mode delta.`, {
      weight,
    });
  return Math.sqrt((weight * alpha) / rank);
};

/** Layers that all adapters have, in one shape. @throws E_ADAPTER naming what differs */
function sharedLayers(adapters: readonly MergeableLora[]): readonly string[] {
  const layers = layersIn(adapters[0]!.adapter);
  for (const [k, { adapter }] of adapters.entries()) {
    const other = layersIn(adapter);
    const apart = [...layers.filter(path => !other.includes(path)), ...other.filter(path => !layers.includes(path))];
    if (apart.length > 0)
      fail('E_ADAPTER', `adapters: expected the same layers in all, received '${apart[0]}' in one of numbers 0 and ${k} alone. They are adapters of different models or layers.`, { adapter: k, path: apart[0] }); // prettier-ignore
    for (const path of layers) {
      const outer = (one: Parameters): string => `${one[`${path}.loraA`]?.shape[0]} to ${one[`${path}.loraB`]?.shape[1]}`; // prettier-ignore
      if (outer(adapter) !== outer(adapters[0]!.adapter))
        fail('E_ADAPTER', `adapters: ${path}: expected ${outer(adapters[0]!.adapter)} in all, received ${outer(adapter)} in number ${k}. They are adapters of different models.`, { adapter: k, path }); // prettier-ignore
    }
  }
  return layers;
}
