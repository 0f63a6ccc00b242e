/** EMHA as a layer: for encoders, decoders, and over the memory of another model. */

import {
  affine,
  defineLayer,
  joinHeads,
  keptCells,
  linear,
  param,
  softmaxMatmul,
  splitHeads,
  xavier,
  normal,
  type Context,
  type Layer,
  type Params,
  type Tensor,
} from '@heddle/core';
import { convolutionStart, narrowXavier } from './initialisers.js';
import { mixedMaps, type Convolution, type MixingWeights, type Standing } from './mixing.js';
import { emhaSizes, type EmhaConfig, type EmhaSizes } from './options.js';
import { convolutionShapes, type ConvolutionShape } from './shapes.js';

/** The parameters of an EMHA, bound. Which convolutions there are depends on the form. */
export interface EmhaBound extends MixingWeights {
  readonly query: (x: Tensor) => Tensor;
  readonly key: (x: Tensor) => Tensor;
  readonly value: (x: Tensor) => Tensor;
  readonly output: (x: Tensor) => Tensor;
  readonly context: Context;
}

const convolution = (shape: ConvolutionShape): { readonly [name in keyof Convolution]: ReturnType<typeof param> } => {
  const [groups, out, kernel, into] = shape;
  const init = convolutionStart(kernel * into);
  return { weight: param(shape, init), bias: param([groups * out], init) };
};

/** The parameter tree of an EMHA: `query.weight` … `inner.expand.weight` … `cross.reduce.bias`. */
export function emhaParams(sizes: EmhaSizes): Params {
  const { width, keyHeads, headWidth, bias, relative } = sizes;
  const dense = (to: number, init = narrowXavier) => (bias ? affine : linear)(width, to, { init });
  const each = (shapes: Readonly<Record<string, ConvolutionShape>>): Params =>
    Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, convolution(shape)]));
  const { inner, cross } = convolutionShapes(sizes);
  return {
    query: dense(width),
    key: dense(keyHeads * headWidth),
    value: dense(keyHeads * headWidth),
    output: dense(width, xavier),
    inner: each(inner),
    cross: each(cross),
    ...(relative > 0 ? { relative: param([2 * relative + 1, headWidth], normal(headWidth ** -0.5)) } : {}),
  };
}

export interface Attended {
  /** @shape [B, T, D] */
  readonly output: Tensor;
  /** @shape [B, H, T, S] */
  readonly probabilities: Tensor;
  /** Mixed maps, before mask and softmax. @shape [B, H, T, S] */
  readonly logits: Tensor;
}

/** What is between the projections. */
export interface Heads {
  /** Not scaled. @shape [B, H, T, d] */
  readonly q: Tensor;
  /** @shape [B, G, S, d] */
  readonly k: Tensor;
  /** @shape [B, G, S, d] */
  readonly v: Tensor;
  /** Added to the logits: 0 where a token may look, a large negative number where not. @shape [B | 1, 1, T | 1, S] */
  readonly mask: Tensor | null;
  /** Where tokens stand, for relative positions. */
  readonly standing?: Standing | null;
}

/** All of EMHA behind the projections of queries, keys and values. */
export function emhaAttend(bound: EmhaBound, sizes: EmhaSizes, { q, k, v, mask, standing = null }: Heads): Attended {
  const logits = mixedMaps(q.mul(sizes.headWidth ** -0.5), k, bound, sizes, mask, standing);
  const rate = sizes.attentionDropout;
  const kept = keptCells(bound.context, rate, logits.shape);
  return readByMaps(bound, logits, kept ? v.mul(1 / (1 - rate)) : v, mask, kept);
}

/**
 * What comes after mixing: mask, softmax, values, output projection. Its own, so that logits can come from elsewhere too.
 *
 * @param kept which probabilities count, for dropout
 * @shape logits [B, H, T, S], v [B, G, S, d], mask [B | 1, 1, T | 1, S], kept bool [B, H, T, S]
 */
export function readByMaps(
  { output }: Pick<EmhaBound, 'output'>,
  logits: Tensor,
  v: Tensor,
  mask: Tensor | null,
  kept: Tensor | null = null,
): Attended {
  const [B, H, T, S] = logits.shape as readonly [number, number, number, number];
  const [, G, , d] = v.shape as readonly [number, number, number, number];
  // Query heads that share values are stacked as more rows of them: then no value is copied.
  const stacked = (x: Tensor): Tensor => x.reshape(B, G, (H / G) * T, S);
  const { out, probabilities } = softmaxMatmul(stacked(mask ? logits.add(mask) : logits), v, kept && stacked(kept));
  return {
    output: output(joinHeads(out.reshape(B, H, T, d))),
    probabilities: probabilities.reshape(B, H, T, S),
    logits,
  };
}

/**
 * Enhanced multi-head attention (EIT, Zheng et al. 2024): every query head looks at every key head, and the maps are mixed
 * inside each query head, then across heads.
 *
 * Self-attention gives `memory` the same tensor; encoder-decoder attention the encoder's output. Causality is the
 * mask's: `causalMask(T).reshape(1, 1, T, T)`.
 *
 * @shape query [B, T, D], memory [B, S, D], mask [B | 1, 1, T | 1, S] or null -> [B, T, D]
 * @throws E_CONFIG
 *
 * @example
 * const attention = emha({ width: 256, heads: 4 });
 * const light = emha({ width: 256, heads: 4, preset: 'light' });
 */
export function emha(config: EmhaConfig): Layer<Params, [query: Tensor, memory: Tensor, mask?: Tensor | null], Tensor> {
  const sizes = emhaSizes(config);
  return defineLayer({
    name: 'emha',
    params: emhaParams(sizes),
    apply: (bound, query: Tensor, memory: Tensor, mask: Tensor | null = null): Tensor =>
      emhaForward(bound as unknown as EmhaBound, sizes, query, memory, mask).output,
  });
}

/** What `emha` does, with its maps: for pictures and diagnostics. */
export function emhaForward(
  bound: EmhaBound,
  sizes: EmhaSizes,
  query: Tensor,
  memory: Tensor,
  mask: Tensor | null = null,
): Attended {
  const { heads, keyHeads } = sizes;
  return emhaAttend(bound, sizes, {
    q: splitHeads(bound.query(query), heads),
    k: splitHeads(bound.key(memory), keyHeads),
    v: splitHeads(bound.value(memory), keyHeads),
    mask,
  });
}
