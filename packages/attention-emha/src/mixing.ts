/** From queries and keys to one map for each query head: the whole of EMHA before the softmax. */

import { distanceScores, iota, type Tensor } from '@heddle/core';
import { convolveMaps } from './convolve.js';
import type { EmhaSizes } from './options.js';
import { crossOp } from './ops/cross.js';
import { innerOfMaps, innerOp, pairMaps, type InnerWeights } from './ops/inner.js';

/** @shape weight [groups, outputs of a group, kernel, inputs of a group], bias [outputs] */
export interface Convolution {
  readonly weight: Tensor;
  readonly bias: Tensor;
}

/** What `convolutionShapes` says, as tensors. */
export interface MixingWeights {
  readonly inner: { readonly expand?: Convolution; readonly reduce?: Convolution };
  readonly cross: { readonly expand?: Convolution; readonly reduce?: Convolution };
  /** @shape [2 * reach + 1, d] */
  readonly relative?: Tensor | undefined;
}

/** Where tokens stand, for relative positions. */
export interface Standing {
  /** @shape queries f32[B | 1, T], keys f32[B | 1, S] */
  readonly queries: Tensor;
  readonly keys: Tensor;
}

/** Queries are the last T of S tokens: the whole text, or what a step adds to it. */
const lastOf = (T: number, S: number): Standing => ({
  queries: iota([1, T], 1, 'f32').add(S - T),
  keys: iota([1, S], 1, 'f32'),
});

/** What mixing reads of the sizes. */
export type MixingKind = Pick<EmhaSizes, 'form' | 'inner' | 'cross' | 'zeroFill'>;

/**
 * The logits of EMHA: maps of all pairs of heads, mixed inside each query head, then across heads.
 *
 * @param standing where tokens stand; by default queries are the last of the tokens
 *
 * The mask is not added: it only says which cells are zero-filled, where `zeroFill` asks for it.
 *
 * @shape q [B, H, T, d] (scaled), k [B, G, S, d], mask [B | 1, 1, T | 1, S] -> [B, H, T, S]
 */
export function mixedMaps(
  q: Tensor,
  k: Tensor,
  { inner, cross, relative }: MixingWeights,
  kind: MixingKind,
  mask: Tensor | null = null,
  standing: Standing | null = null,
): Tensor {
  const fill = mask ? kind.zeroFill : 'none';
  const at = standing ?? lastOf(q.shape[2]!, k.shape[2]!);
  const near = relative ? distanceScores(q, relative, at.queries, at.keys) : null;
  const own = innerMaps(q, k, inner, kind.inner, near, mask, fill);
  if (kind.form === 'map' || !kind.cross) return own;
  if (kind.form === 'light') return convolveMaps(own, cross.reduce!.weight, cross.reduce!.bias);
  const { expand, reduce } = cross as Required<typeof cross>;
  const inputs = [own, expand.weight, expand.bias, reduce.weight, reduce.bias];
  const again = fill === 'every';
  return crossOp(again ? [...inputs, mask!] : inputs, { fill: again })[0]!;
}

/** @shape near [B, H, T, S] or null -> [B, H, T, S], or the hidden maps where there is no second convolution */
function innerMaps(
  q: Tensor,
  k: Tensor,
  { expand, reduce }: MixingWeights['inner'],
  kind: MixingKind['inner'],
  near: Tensor | null,
  mask: Tensor | null,
  fill: 'none' | 'first' | 'every',
): Tensor {
  const [B, H, T, d] = q.shape as readonly [number, number, number, number];
  const [, G, S] = k.shape as readonly [number, number, number, number];
  if (kind !== 'mix') {
    // The mean of products with keys is the product with their mean.
    const keys = kind === 'mean' ? k.mean(1, { keep: true }) : k;
    const heads = kind === 'mean' ? 1 : G;
    const maps = q
      .reshape(B, heads, (H / heads) * T, d)
      .matmul(keys, { transposeRight: true })
      .reshape(B, H, T, S);
    return near ? maps.add(near) : maps;
  }
  const weights = {
    expand: expand!.weight,
    expandBias: expand!.bias,
    reduce: reduce?.weight,
    reduceBias: reduce?.bias,
  };
  if (near) {
    const pairs = pairMaps(q, k)
      .reshape(B, H, G, T, S)
      .add(near.reshape(B, H, 1, T, S));
    return innerOfMaps(pairs.reshape(B, H * G, T, S), weights, mask, fill);
  }
  const inputs = [q, k, ...listed(weights)];
  return innerOp(fill === 'none' ? inputs : [...inputs, mask!], { fill })[0]!;
}

const listed = ({ expand, expandBias, reduce, reduceBias }: InnerWeights): readonly Tensor[] =>
  [expand, expandBias, reduce, reduceBias].filter(t => t !== undefined);
