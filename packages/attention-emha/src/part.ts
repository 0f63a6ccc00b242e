/** EMHA for models assembled from named parts: `attention: 'emha'`. */

import {
  defineLayer,
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
  const given = emhaSizes(config);
  // Between a text and a source there are no distances.
  const sizes = config.role === 'cross' ? { ...given, relative: 0 } : given;
  const { heads, keyHeads, headWidth } = sizes;
  const rows = { heads: keyHeads, width: headWidth };
  const layer = defineLayer<Params, [Tensor, AttentionView], Tensor>({
    name: 'emha',
    params: emhaParams(sizes),
    apply(tensors, x, { mask, positions: { angles }, at, remember, handed, show }) {
      const bound = tensors as unknown as EmhaBound;
      const turn = (t: Tensor): Tensor => (angles ? rotate(t, angles.cos, angles.sin) : t);
      const q = turn(splitHeads(bound.query(x), heads)); // [B, H, N, d]
      const k = remember('key', (from = x) => turn(splitHeads(bound.key(from), keyHeads))); // [B, G, S, d]
      const v = remember('value', (from = x) => splitHeads(bound.value(from), keyHeads)); // [B, G, S, d]
      // Places of a cache are no positions: where a token stands is remembered with its key.
      const theirs = sizes.relative > 0 && remember('position', () => at.reshape(-1, 1, at.shape[1]!, 1));
      const standing = theirs ? { queries: at, keys: theirs.reshape(-1, theirs.shape[2]!) } : null;
      const { output, probabilities } = emhaAttend(bound, sizes, { q, k, v, mask, standing });
      handed.set(handedMaps, probabilities);
      show?.(probabilities);
      return output;
    },
  });
  return {
    ...layer,
    memory: { key: rows, value: rows, ...(sizes.relative > 0 ? { position: { heads: 1, width: 1 } } : {}) },
  };
}

/** For ATTENTION. */
export const emhaFactory: PartFactory = { name: 'emha', create: config => emhaPart(config as EmhaConfig) };
