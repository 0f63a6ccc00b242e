/** One block: attention and feed-forward, each normed before and added to what came in; or attention alone. */

import { defineLayer, dropout, type Tensor } from '@heddle/core';
import type { AttentionPart, AttentionView } from './parts/attention.js';
import type { FeedForwardPart } from './parts/feed-forward.js';
import type { NormPart } from './parts/norm.js';

export interface BlockParts {
  readonly attentionNorm: NormPart;
  readonly attention: AttentionPart;
  readonly ffnNorm: NormPart;
  readonly ffn: FeedForwardPart;
}

/** Pre-norm: x + attention(norm x), then x + ffn(norm x). The path from end to start stays free of norms. */
export const preNormBlock = ({ attentionNorm, attention, ffnNorm, ffn }: BlockParts, rate: number) =>
  defineLayer({
    name: 'block',
    params: { attentionNorm, attention, ffnNorm, ffn, drop: dropout(rate), dropAgain: dropout(rate) },
    apply(bound, x: Tensor, view: AttentionView): Tensor {
      const seen = x.add(bound.drop(bound.attention(bound.attentionNorm(x), view)));
      return seen.add(bound.dropAgain(bound.ffn(bound.ffnNorm(seen))));
    },
  });

/** Pre-norm with attention alone, for attentions that hold their own feed-forwards: x + attention(norm x). */
export const attentionBlock = ({ attentionNorm, attention }: Omit<BlockParts, 'ffnNorm' | 'ffn'>, rate: number) =>
  defineLayer({
    name: 'block',
    params: { attentionNorm, attention, drop: dropout(rate) },
    apply: (bound, x: Tensor, view: AttentionView): Tensor =>
      x.add(bound.drop(bound.attention(bound.attentionNorm(x), view))),
  });
