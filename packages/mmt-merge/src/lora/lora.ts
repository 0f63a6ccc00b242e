/**
 * Low-rank adapters (LoRA, arXiv 2106.09685) on named linear layers of any model: y = x W + s (x A) B, with W as it was.
 *
 * An adapted model is the same model with more parameters beside some of its layers. Nothing is computed that moves W: train it
 * with `trains: isLoraPath`, and neither gradients nor optimizer state of the base exist.
 */

import {
  dropout,
  fail,
  layersOf,
  mapLayers,
  param,
  parameterTypes,
  selectPaths,
  zeros,
  type AnyLayer,
  type HostTensor,
  type Initialiser,
  type Param,
  type ParamTree,
  type Tensor,
  type Types,
} from '@heddle/core';
import { loraUpdateOp } from './ops.js';

export interface LoraOptions {
  readonly rank: number;
  /** s = alpha / rank. Default twice the rank, as ALMA and X-ALMA have it. */
  readonly alpha?: number;
  /** Of what goes into A, while training. Default 0. */
  readonly dropout?: number;
  /** Patterns of the layers' paths, such as `*.attention.*`. Default all linear layers but the one to the vocabulary. */
  readonly layers?: readonly string[];
}

export interface LoraConfig {
  readonly rank: number;
  readonly alpha: number;
  readonly dropout: number;
  /** null: all linear layers but the one to the vocabulary. */
  readonly layers: readonly string[] | null;
}

/** Whether a path is one of an adapter: what moves when only adapters are trained. */
export const isLoraPath = (path: string): boolean => /(?:^|\.)lora[AB]$/.test(path);

const vocabularyHead = /(?:^|\.)head$/;

/** @throws E_CONFIG for a rank, an alpha or a dropout that cannot be */
export function loraConfig({ rank, alpha = 2 * rank, dropout: rate = 0, layers }: LoraOptions): LoraConfig {
  const refuse = (name: string, expected: string, received: unknown): never =>
    fail('E_CONFIG', `lora: ${name}: expected ${expected}, received ${JSON.stringify(received)}. Correct it.`, { name, received }); // prettier-ignore
  if (!(Number.isSafeInteger(rank) && rank >= 1)) refuse('rank', 'a whole number from 1 up', rank);
  if (!(Number.isFinite(alpha) && alpha > 0)) refuse('alpha', 'a number above 0', alpha);
  if (!(rate >= 0 && rate < 1)) refuse('dropout', 'a rate from 0 up to, not including, 1', rate);
  if (layers !== undefined && !(Array.isArray(layers) && layers.length > 0))
    refuse('layers', 'at least one pattern', layers);
  return { rank, alpha, dropout: rate, layers: layers ?? null };
}

/** A layer that is x W, or x W + b: its weight [from, to]. */
function linearWeight(layer: AnyLayer): Param | null {
  const { weight } = layer.params as { readonly weight?: Param };
  const linear = (layer.name === 'linear' || layer.name === 'affine') && weight?.is === 'param';
  return linear && weight.shape.length === 2 ? weight : null;
}

/** Linear layers by path, with what goes in and what comes out. */
export const linearShapes = (
  model: ParamTree,
): Readonly<Record<string, { readonly from: number; readonly to: number }>> =>
  Object.fromEntries(
    [...layersOf(model)].flatMap(([path, layer]) => {
      const weight = linearWeight(layer);
      return weight ? [[path, { from: weight.shape[0]!, to: weight.shape[1]! }]] : [];
    }),
  );

/** Paths of the layers that an adapter goes on. @throws E_CONFIG for a pattern that names none */
export function adaptedLayers(model: ParamTree, { layers }: Pick<LoraConfig, 'layers'>): ReadonlySet<string> {
  const all = Object.keys(linearShapes(model));
  return layers === null ? new Set(all.filter(path => !vocabularyHead.test(path))) : selectPaths(layers, all);
}

/** A begins as Kaiming's uniform numbers with a = sqrt(5), as PEFT has it: up to 1 / sqrt(from) on either side. B begins as zeros. */
const kaiming: Initialiser = {
  name: 'kaiming',
  fill(shape, draw) {
    const bound = 1 / Math.sqrt(shape[0]!);
    return Float32Array.from({ length: shape[0]! * shape[1]! }, () => (2 * draw() - 1) * bound);
  },
};

/**
 * The model with an adapter on some of its linear layers. At the start it does what the model does, for B is zero.
 *
 * A and B may also be bound with a first axis over the rows of a batch, [B, from, rank] and [B, rank, to]: then each row goes
 * through an adapter of its own (`ofRows`).
 *
 * @throws E_CONFIG for options that cannot be, and a pattern that names no linear layer
 */
export function withLora<M extends AnyLayer>(model: M, options: LoraOptions): M {
  const config = loraConfig(options);
  const chosen = adaptedLayers(model, config);
  return mapLayers(model, (layer, path) =>
    chosen.has(path) ? adaptedLinear(layer, linearWeight(layer)!.shape as readonly [number, number], config) : null,
  );
}

interface BoundLora {
  readonly weight: Tensor;
  readonly loraA: Tensor;
  readonly loraB: Tensor;
  readonly loraDrop: (x: Tensor) => Tensor;
}

function adaptedLinear(layer: AnyLayer, [from, to]: readonly [number, number], config: LoraConfig): AnyLayer {
  const { rank, alpha, dropout: rate } = config;
  return {
    ...layer,
    params: {
      ...layer.params,
      loraA: param([from, rank], kaiming),
      loraB: param([rank, to], zeros),
      ...(rate > 0 ? { loraDrop: dropout(rate) } : {}),
    },
    // Some layers compute with a matrix of theirs without calling it: they get it with the adapter in it.
    shown: { weight: ({ weight, loraA, loraB }: BoundLora) => weight.add(loraA.matmul(loraB).mul(alpha / rank)) },
    apply(bound: BoundLora, x: Tensor) {
      const { loraA, loraB } = bound;
      const into = rate > 0 ? bound.loraDrop(x) : x;
      const base = layer.apply(bound, x) as Tensor;
      return loraUpdateOp([base, into.matmul(loraA), loraB], { scale: alpha / rank })[0]!;
    },
  };
}

/** Numbers of an adapter. @throws E_CONFIG */
export function countLora(model: ParamTree, options: LoraOptions): number {
  const { rank, ...config } = loraConfig(options);
  const shapes = linearShapes(model);
  return [...adaptedLayers(model, config)].reduce(
    (sum, path) => sum + rank * (shapes[path]!.from + shapes[path]!.to),
    0,
  );
}

/** Parameters by path. */
export type Parameters = Readonly<Record<string, HostTensor>>;

/** Names and types of an adapter's parameters. @throws E_CONFIG */
export const loraTypes = (model: AnyLayer, options: LoraOptions): Types =>
  Object.fromEntries(Object.entries(parameterTypes(withLora(model, options))).filter(([path]) => isLoraPath(path)));

/** What stands beside the base, by path; the rest is left out. */
export const loraOf = (parameters: Parameters): Record<string, HostTensor> =>
  Object.fromEntries(Object.entries(parameters).filter(([path]) => isLoraPath(path)));

/**
 * The base with adapters folded in: W + s A B for each, of one after the other. The base itself stays as it is, so unmerging is to
 * take it again, exactly.
 *
 * @throws E_ADAPTER for a factor without its other, or of another shape than its layer
 */
export function foldLora(base: Parameters, adapter: Parameters, options: LoraOptions): Record<string, HostTensor> {
  const { rank, alpha } = loraConfig(options);
  const folded: Record<string, HostTensor> = { ...base };
  for (const path of layersIn(adapter)) {
    const [a, b, w] = [adapter[`${path}.loraA`], adapter[`${path}.loraB`], base[`${path}.weight`]];
    const [from, to] = w?.shape ?? [];
    if (!a || !b || !w || a.shape.join() !== `${from},${rank}` || b.shape.join() !== `${rank},${to}`)
      return fail('E_ADAPTER', `adapter: ${path}: expected loraA [${from}, ${rank}] and loraB [${rank}, ${to}] beside a weight, received ${shapeOf(a)}, ${shapeOf(b)} and ${shapeOf(w)}. It is an adapter of another model or rank.`, { path }); // prettier-ignore
    folded[`${path}.weight`] = { ...w, data: plusProduct(w.data as Float32Array, a.data as Float32Array, b.data as Float32Array, from!, rank, to!, alpha / rank) }; // prettier-ignore
  }
  return folded;
}

const shapeOf = (t: HostTensor | undefined): string => (t ? `[${t.shape.join(', ')}]` : 'none');

/** Paths of layers that an adapter's parameters belong to. */
export const layersIn = (adapter: Parameters): readonly string[] => [
  ...new Set(
    Object.keys(adapter)
      .filter(isLoraPath)
      .map(path => path.replace(/\.?lora[AB]$/, '')),
  ),
];

/** W + s A B, in f64 until it is stored. */
function plusProduct(
  w: Float32Array,
  a: Float32Array,
  b: Float32Array,
  from: number,
  rank: number,
  to: number,
  scale: number,
): Float32Array {
  const out = new Float32Array(w.length);
  const row = new Float64Array(to);
  for (let i = 0; i < from; i++) {
    row.fill(0);
    for (let k = 0; k < rank; k++) {
      const own = a[i * rank + k]!;
      for (let j = 0; j < to; j++) row[j]! += own * b[k * to + j]!;
    }
    for (let j = 0; j < to; j++) out[i * to + j] = w[i * to + j]! + scale * row[j]!;
  }
  return out;
}

/**
 * Several adapters of one shape as one: A [K, from, rank], B [K, rank, to].
 *
 * @throws E_ADAPTER for adapters of different layers or shapes
 */
export function stackLora(adapters: readonly Parameters[]): Record<string, HostTensor> {
  const [first] = adapters;
  if (!first) return fail('E_ADAPTER', 'adapters: expected at least one, received none.', {});
  for (const [k, one] of adapters.entries())
    for (const path of new Set([...Object.keys(first), ...Object.keys(one)]))
      if (first[path]?.shape.join() !== one[path]?.shape.join())
        fail('E_ADAPTER', `adapters: ${path}: expected ${shapeOf(first[path])} in all, received ${shapeOf(one[path])} in number ${k}. Bring them to one rank and the same layers first.`, { path, adapter: k }); // prettier-ignore
  return Object.fromEntries(
    Object.entries(first).map(([path, { shape, data }]) => {
      const all = new Float32Array(adapters.length * data.length);
      for (const [k, one] of adapters.entries()) all.set(one[path]!.data as Float32Array, k * data.length);
      return [path, { dtype: 'f32' as const, shape: [adapters.length, ...shape], data: all }];
    }),
  );
}

/**
 * For each row of a batch its adapter, to be bound in place of one.
 *
 * @shape stacked [K, from, rank] and [K, rank, to], rows i32[B] -> [B, from, rank] and [B, rank, to]
 */
export const ofRows = (stacked: Readonly<Record<string, Tensor>>, rows: Tensor): Record<string, Tensor> =>
  Object.fromEntries(Object.entries(stacked).map(([path, t]) => [path, t.gather(rows)]));
