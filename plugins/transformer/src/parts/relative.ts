/** Attention that knows how far tokens are apart (Shaw et al. 2018), over whole texts and over a cache. */

import { attendOp, distanceScores, fail, joinHeads, normal, param, splitHeads } from '@heddle/core';
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
      const theirs = remember('position', () => at.reshape(-1, 1, at.shape[1]!, 1)); // [B | 1, 1, S, 1]
      const scale = headWidth ** -0.5;
      const told = distanceScores(q, distance, at, theirs.reshape(-1, theirs.shape[2]!)).mul(scale);
      const [attended, maps] = attendOp([q, k, v, mask.add(told)], { scale });
      show?.(maps!);
      return output(joinHeads(attended!));
    },
  });
}
