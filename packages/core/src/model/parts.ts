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
  /** Where each token stands in its text, whatever its place in a cache. @shape f32 [B | 1, N] */
  readonly at: Tensor;
  /**
   * Keeps what is needed of each token that may be looked at, and gives all of it.
   *
   * Self-attention: rows are made of the layer's input; in a whole text they come back as they are (S = N), in a step as
   * the cache with them in it (S = its capacity), in which places are no positions: only the mask says what may be seen.
   *
   * Cross-attention: rows are made of `source`, the encoder's output, once for each text; in a step `make` is not called.
   *
   * @param name one of the part's `memory`
   * @param make `(source = x) => rows`: what it is not given, it reads from the layer's own input
   * @shape source [B, S, D], rows [B, G, N, d] -> [B, G, S, d]
   */
  remember(name: string, make: (source?: Tensor) => Tensor): Tensor;
  /**
   * What a layer hands to later layers of the same pass, such as attention maps for residual attention. By name;
   * `embedded` is there from the start: the input of the first block, before its norm. @shape [B, N, D]
   */
  readonly handed: Map<string, Tensor>;
  /**
   * There when somebody wants to look: an attention that has maps gives them, after the softmax. Nothing else may depend on it.
   *
   * @shape maps [B, heads, N, S]
   */
  readonly show?: (maps: Tensor) => void;
}

/**
 * Where an attention stands: among the tokens of a source, which see each other; among those of a text, which see earlier
 * ones; or between a text and its source.
 */
export type AttentionRole = 'encoder' | 'decoder' | 'cross';

/** What is kept of each token under one name. */
export interface AttentionMemory {
  readonly heads: number;
  readonly width: number;
}

/** An attention: a layer on [B, N, D] that declares what it remembers. */
export interface AttentionPart<P extends Params = Params> extends Layer<P, [x: Tensor, view: AttentionView], Tensor> {
  readonly memory: Readonly<Record<string, AttentionMemory>>;
}
