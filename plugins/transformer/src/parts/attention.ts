/**
 * What an attention is: one function that serves both a whole text and a step over a cache.
 *
 * The two differ only in where keys and values come from. So an attention says what it wants to be remembered of each
 * token, and gets back all that may be looked at: the same rows in a whole text, the cache with the rows written into
 * it in a step. Everything else, and so every number, is shared.
 */

import {
  attendOp,
  defineLayer,
  fail,
  joinHeads,
  rotate,
  splitHeads,
  type AttentionMemory,
  type AttentionPart,
  type AttentionRole,
  type AttentionView,
  type Bound,
  type Context,
  type Params,
  type Tensor,
} from '@heddle/core';
import { dense, residual } from './dense.js';

export type { AttentionPart, AttentionRole, AttentionView, AttentionMemory as Memory } from '@heddle/core';

/** What every attention is told; `options.attention` of the model's configuration is added to it. */
export type AttentionConfig = {
  readonly width: number;
  readonly heads: number;
  readonly keyHeads: number;
  readonly bias: boolean;
  readonly dropout: number;
  /** Among the tokens of a source, among those of a text, or between the two. */
  readonly role: AttentionRole;
  /** Number of this block, and of blocks. */
  readonly block: number;
  readonly depth: number;
  /** Longest text in tokens. */
  readonly length: number;
};

/**
 * Declares an attention for ATTENTION.
 *
 * @param part.memory what it remembers of each token; `apply` must call `view.remember` once for each
 * @throws E_NAME for a memory with a dot in its name
 */
export function defineAttention<const P extends Params>(part: {
  readonly name: string;
  readonly params: P;
  readonly memory: Readonly<Record<string, AttentionMemory>>;
  readonly apply: (bound: Bound<P> & { readonly context: Context }, x: Tensor, view: AttentionView) => Tensor;
}): AttentionPart<P> {
  for (const name of Object.keys(part.memory)) {
    if (name === '' || name.includes('.'))
      fail('E_NAME', `${part.name}: memory '${name}': expected a name without dots. Rename it.`, { name });
  }
  return { ...defineLayer<P, [Tensor, AttentionView], Tensor>(part), memory: part.memory };
}

/** From tokens to queries, keys and values, and from what heads found to tokens. */
export const projections = ({ width, heads, keyHeads, bias, depth }: AttentionConfig) => ({
  query: dense(width, width, { bias }),
  key: dense(width, (keyHeads * width) / heads, { bias }),
  value: dense(width, (keyHeads * width) / heads, { bias }),
  output: dense(width, width, { bias, init: residual(depth) }),
});

/** Scaled dot-product attention over heads, with fewer key heads if asked (Ainslie et al. 2023). */
export function standardAttention(config: AttentionConfig) {
  const { width, heads, keyHeads } = config;
  const headWidth = width / heads;
  return defineAttention({
    name: 'attention',
    params: projections(config),
    memory: { key: { heads: keyHeads, width: headWidth }, value: { heads: keyHeads, width: headWidth } },
    apply({ query, key, value, output }, x, { mask, positions: { angles }, remember, show }) {
      const turn = (rows: Tensor): Tensor => (angles ? rotate(rows, angles.cos, angles.sin) : rows);
      const q = turn(splitHeads(query(x), heads)); // [B, H, N, d]
      const k = remember('key', (from = x) => turn(splitHeads(key(from), keyHeads))); // [B, G, S, d]
      const v = remember('value', (from = x) => splitHeads(value(from), keyHeads)); // [B, G, S, d]
      const groups = heads / keyHeads;
      const [attended, maps] = attendOp([stack(q, groups), k, v, repeatRows(mask, groups)], {
        scale: headWidth ** -0.5,
      });
      show?.(maps!.reshape(q.shape[0]!, heads, q.shape[2]!, k.shape[2]!));
      return output(joinHeads(attended!.reshape(...q.shape)));
    },
  });
}

/**
 * Query heads that share a key head, stacked as more rows of that head: then no key is copied for each of them.
 *
 * @shape [B, H, N, d] -> [B, H / groups, groups * N, d]
 */
function stack(q: Tensor, groups: number): Tensor {
  const [B, H, N, d] = q.shape as readonly [number, number, number, number];
  return q.reshape(B, H / groups, groups * N, d);
}

/** The mask of stacked heads. @shape [B | 1, 1, N, S] -> [B | 1, 1, groups * N, S] */
function repeatRows(mask: Tensor, groups: number): Tensor {
  const [B, , N, S] = mask.shape as readonly [number, number, number, number];
  return groups === 1 || N === 1 ? mask : mask.broadcastTo([B, groups, N, S]).reshape(B, 1, groups * N, S);
}
