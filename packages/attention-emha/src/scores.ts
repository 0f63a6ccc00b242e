/** EMHA's maps alone: scores for attentions that take them from elsewhere, such as PartialFormer's. */

import { defineLayer, type Layer, type Params, type Tensor } from '@heddle/core';
import { emhaParams, type EmhaBound } from './layer.js';
import { mixedMaps } from './mixing.js';
import { emhaSizes, type EmhaConfig } from './options.js';

/**
 * Every query head looks at every key head, and the maps are mixed; there are no projections here, and no softmax.
 *
 * @param config `width` is that of all heads together: width / heads is the width of one
 * @shape query [B, H, T, d], key [B, G, S, d], mask broadcasts to [B, H, T, S] or null -> [B, H, T, S]
 * @throws E_CONFIG
 *
 * @example
 * partialAttention({ width: 128, heads: 4, expandHeads: 8, coreHeads: 8 }, { scores: emhaScores({ width: 256, heads: 8 }) })
 */
export function emhaScores(
  config: EmhaConfig,
): Layer<Params, [query: Tensor, key: Tensor, mask: Tensor | null], Tensor> {
  const sizes = emhaSizes(config);
  const { inner, cross, relative } = emhaParams(sizes);
  return defineLayer<Params, [query: Tensor, key: Tensor, mask: Tensor | null], Tensor>({
    name: 'emhaScores',
    params: { inner: inner!, cross: cross!, ...(relative ? { relative } : {}) },
    apply: (bound, query, key, mask) =>
      mixedMaps(query.mul(sizes.headWidth ** -0.5), key, bound as unknown as EmhaBound, sizes, mask),
  });
}
