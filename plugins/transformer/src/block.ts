/** One block: attention, attention to a source where there is one, and a feed-forward unless the attention holds its own. */

import { defineLayer, dropout, type Params, type Tensor } from '@heddle/core';
import type { AttentionPart, AttentionView } from './parts/attention.js';
import type { FeedForwardPart } from './parts/feed-forward.js';
import type { NormPart } from './parts/norm.js';

export interface BlockParts {
  readonly attentionNorm: NormPart;
  readonly attention: AttentionPart;
  readonly crossNorm?: NormPart;
  readonly cross?: AttentionPart;
  readonly ffnNorm?: NormPart;
  readonly ffn?: FeedForwardPart;
}

export interface BlockWiring {
  /** x + part(norm x): the path from end to start stays free of norms. Otherwise norm(x + part x). */
  readonly normFirst: boolean;
  /** Share of what each part gives that is dropped while training. */
  readonly dropout: number;
}

/** What the attentions of a block see. */
export interface BlockView {
  readonly self: AttentionView;
  /** Where the block has attention to a source. */
  readonly cross?: AttentionView;
}

type Unary = (x: Tensor) => Tensor;
type Looking = (x: Tensor, view: AttentionView) => Tensor;
interface Wired {
  readonly attentionNorm: Unary;
  readonly attention: Looking;
  readonly drop: Unary;
  readonly crossNorm: Unary;
  readonly cross?: Looking;
  readonly crossDrop: Unary;
  readonly ffnNorm: Unary;
  readonly ffn?: Unary;
  readonly dropAgain: Unary;
}

/** @shape x [B, N, D] -> [B, N, D] */
export const transformerBlock = (parts: BlockParts, { normFirst, dropout: rate }: BlockWiring) =>
  defineLayer<Params, [x: Tensor, view: BlockView], Tensor>({
    name: 'block',
    params: {
      ...parts,
      drop: dropout(rate),
      ...(parts.cross ? { crossDrop: dropout(rate) } : {}),
      ...(parts.ffn ? { dropAgain: dropout(rate) } : {}),
    },
    apply(bound, x, view) {
      const { attentionNorm, attention, drop, crossNorm, cross, crossDrop, ffnNorm, ffn, dropAgain } =
        bound as unknown as Wired;
      const branch = (from: Tensor, norm: Unary, part: Unary, dropped: Unary): Tensor =>
        normFirst ? from.add(dropped(part(norm(from)))) : norm(from.add(dropped(part(from))));
      let seen = branch(x, attentionNorm, y => attention(y, view.self), drop);
      if (cross) seen = branch(seen, crossNorm, y => cross(y, view.cross!), crossDrop);
      return ffn ? branch(seen, ffnNorm, ffn, dropAgain) : seen;
    },
  });
