/** Attention that knows how far tokens are apart (Shaw et al. 2018), over whole texts and over a cache. */

import { attendOp, clip, fail, joinHeads, normal, param, splitHeads, type Tensor } from '@heddle/core';
import { defineAttention, projections, standardAttention, type AttentionConfig } from './attention.js';
import { spread } from './dense.js';

export type RelativeConfig = AttentionConfig & {
  /** Distances up to this are told apart, before and after. Default 16. */
  readonly reach?: number;
};

/** @throws E_CONFIG */
export function reachOf({ reach = 16 }: { readonly reach?: unknown } = {}): number {
  return Number.isSafeInteger(reach) && (reach as number) >= 1
    ? (reach as number)
    : fail('E_CONFIG', `relative: reach: expected a whole number of at least 1, received ${JSON.stringify(reach)}.`, { reach }); // prettier-ignore
}

/**
 * Each distance up to `reach` has a vector, and what a query gives for it is added to the score of the key. Places of a cache are no
 * positions, so where a token stands is remembered with its key. Between a text and a source there are no distances: there it is
 * standard attention.
 *
 * @throws E_CONFIG
 */
export function relativeAttention(config: RelativeConfig) {
  const { width, heads, keyHeads, role } = config;
  const reach = reachOf(config);
  if (role === 'cross') return standardAttention(config);
  const headWidth = width / heads;
  return defineAttention({
    name: 'relative',
    params: {
      ...projections(config),
      distance: param([2 * reach + 1, headWidth], normal(spread)),
    },
    memory: {
      key: { heads: keyHeads, width: headWidth },
      value: { heads: keyHeads, width: headWidth },
      position: { heads: 1, width: 1 },
    },
    apply({ query, key, value, output, distance }, x, { mask, at, remember, show }) {
      const q = splitHeads(query(x), heads); // [B, H, N, d]
      const k = remember('key', (from = x) => splitHeads(key(from), keyHeads)); // [B, G, S, d]
      const v = remember('value', (from = x) => splitHeads(value(from), keyHeads)); // [B, G, S, d]
      const N = q.shape[2]!;
      const own = at.reshape(at.shape[0]!, 1, N, 1);
      const theirs = remember('position', () => own); // [B | 1, 1, S, 1]
      const scale = headWidth ** -0.5;
      const told = relativeScores(q, distance, own, theirs).mul(scale);
      const [attended, maps] = attendOp([q, k, v, mask.add(told)], { scale });
      show?.(maps!);
      return output(joinHeads(attended!));
    },
  });
}

/** @shape q [B, H, N, d], table [2 R + 1, d], own [B | 1, 1, N, 1], theirs [B | 1, 1, S, 1] -> [B, H, N, S] */
function relativeScores(q: Tensor, table: Tensor, own: Tensor, theirs: Tensor): Tensor {
  const reach = (table.shape[0]! - 1) / 2;
  const [rows, S] = [Math.max(own.shape[0]!, theirs.shape[0]!), theirs.shape[2]!];
  const N = own.shape[2]!;
  const apart = theirs.reshape(theirs.shape[0]!, 1, S).sub(own.reshape(own.shape[0]!, N, 1)); // [B | 1, N, S]
  const between = table.gather(clip(apart, -reach, reach).add(reach).cast('i32')).reshape(rows, N, S, table.shape[1]!);
  return q.transpose(0, 2, 1, 3).matmul(between, { transposeRight: true }).transpose(0, 2, 1, 3);
}
