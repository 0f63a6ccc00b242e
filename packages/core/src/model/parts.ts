/**
 * What an attention is to a model assembled from named parts. Types only: whoever assembles models and whoever writes an
 * attention are different packages, and meet here.
 */

import type { Tensor } from '../tensor/tensor.js';
import type { Layer, Params } from './layer.js';

/** What a position scheme gives to the rest of the model. Leading axes are B, or 1 where every row is alike. */
export interface PositionSignals {
  /** Added to the embeddings. @shape [B | 1, N, D] */
  readonly embedding: Tensor | null;
  /** Angles by which attention turns queries and keys. @shape both [B | 1, 1, N, d / 2] */
  readonly angles: { readonly cos: Tensor; readonly sin: Tensor } | null;
}

/** What an attention sees beside its input of `N` tokens in each of `B` rows. */
export interface AttentionView {
  /** Added to the scores: 0 where a token may look, a large negative number where not. @shape [B | 1, 1, N, S] */
  readonly mask: Tensor;
  readonly positions: PositionSignals;
  /**
   * Keeps what later tokens need of these ones.
   *
   * @param name one of the part's `memory`
   * @shape rows [B, G, N, d] -> [B, G, S, d]: in a whole text the rows themselves (S = N), in a step the cache (S = its
   *   capacity), in which places are no positions: only the mask says what may be seen
   */
  remember(name: string, rows: Tensor): Tensor;
  /**
   * What a layer hands to later layers of the same pass, such as attention maps for residual attention. By name;
   * `embedded` is there from the start: the input of the first block, before its norm. @shape [B, N, D]
   */
  readonly handed: Map<string, Tensor>;
}

/** What is kept of each token under one name. */
export interface AttentionMemory {
  readonly heads: number;
  readonly width: number;
}

/** An attention: a layer on [B, N, D] that declares what it remembers. */
export interface AttentionPart<P extends Params = Params> extends Layer<P, [x: Tensor, view: AttentionView], Tensor> {
  readonly memory: Readonly<Record<string, AttentionMemory>>;
}
