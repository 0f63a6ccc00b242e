/** EMHA for models assembled from named parts: `attention: 'emha'`. */

import {
  defineLayer,
  fail,
  rotate,
  splitHeads,
  type AttentionPart,
  type AttentionView,
  type PartFactory,
  type Params,
  type Tensor,
} from '@heddle/core';
import { emhaAttend, emhaParams, type EmhaBound } from './layer.js';
import { emhaSizes, type EmhaConfig } from './options.js';

/** Where later layers of the same pass find the probabilities [B, H, N, S] of the last EMHA before them. */
export const handedMaps = 'emha.probabilities';

/**
 * The attention of an encoder, of a decoder, or between the two, over a whole text or over a cache: each token's key and
 * value are remembered, and mixing sees what the mask lets it see.
 *
 * Kernels wider than 1 read neighbouring places of the cache as neighbouring tokens. That holds for rows that were
 * written from start to end; a row that forked, or one that took over places of another, has other neighbours. So
 * kernels are 1 by default.
 *
 * @param config what the model tells every attention, and `options.attention`
 * @throws E_CONFIG
 */
export function emhaPart(config: EmhaConfig): AttentionPart {
  const sizes = emhaSizes(config);
  if (sizes.relative > 0) {
    fail(
      'E_CONFIG',
      `emha: relative: expected 0 where places of a cache are no positions, received ${sizes.relative}. Use rotary positions, or the layer emha() with relative positions over whole texts.`,
      { relative: sizes.relative },
    );
  }
  const { heads, keyHeads, headWidth } = sizes;
  const rows = { heads: keyHeads, width: headWidth };
  const layer = defineLayer<Params, [Tensor, AttentionView], Tensor>({
    name: 'emha',
    params: emhaParams(sizes),
    apply(tensors, x, { mask, positions: { angles }, remember, handed, show }) {
      const bound = tensors as unknown as EmhaBound;
      const turn = (t: Tensor): Tensor => (angles ? rotate(t, angles.cos, angles.sin) : t);
      const q = turn(splitHeads(bound.query(x), heads)); // [B, H, N, d]
      const k = remember('key', (from = x) => turn(splitHeads(bound.key(from), keyHeads))); // [B, G, S, d]
      const v = remember('value', (from = x) => splitHeads(bound.value(from), keyHeads)); // [B, G, S, d]
      const { output, probabilities } = emhaAttend(bound, sizes, { q, k, v, mask });
      handed.set(handedMaps, probabilities);
      show?.(probabilities);
      return output;
    },
  });
  return { ...layer, memory: { key: rows, value: rows } };
}

/** For ATTENTION. */
export const emhaFactory: PartFactory = { name: 'emha', create: config => emhaPart(config as EmhaConfig) };
