/** A model is a layer with a kind, a configuration in JSON, and, for decoding, a step over a cache. */

import type { Json } from '../io/json.js';
import type { Types } from '../ir/types.js';
import type { Tensor } from '../tensor/tensor.js';
import type { Layer, Params, Bound } from './layer.js';

/** What one decoding step reads: `N` new tokens for each of `B` rows, over a cache of `C` places. */
export interface DecodeInput {
  /** i32[B, N] */
  readonly ids: Tensor;
  /** i32[B, N]: position of each token in its text, which is not always its place in the cache. */
  readonly positions: Tensor;
  /** i32[B, N]: place in the cache that each token is written to. */
  readonly places: Tensor;
  /** f32[B, N, C], added to the scores: 0 where a token may look, a large negative number where not. */
  readonly mask: Tensor;
  readonly cache: Readonly<Record<string, Tensor>>;
}

export interface DecodeOutput {
  /** f32[B, N, V] */
  readonly logits: Tensor;
  readonly cache: Readonly<Record<string, Tensor>>;
}

/** What a whole text reads where its tokens do not simply follow one another: paths side by side, texts in one row. */
export interface ReadInput {
  /** i32[B, T] */
  readonly ids: Tensor;
  /** i32[B, T]: position of each token in its text. */
  readonly positions: Tensor;
  /** f32[B, T, T], added to the scores: 0 where a token may look, a large negative number where not. */
  readonly mask: Tensor;
}

/** Ids to logits, one position ahead. */
export interface DecoderModel<P extends Params = Params> extends Layer<P, [ids: Tensor], Tensor> {
  readonly kind: 'decoder';
  /** Name under which `MODELS` can make it again. */
  readonly architecture: string;
  readonly config: Json;
  readonly vocabulary: number;
  /** Longest text in tokens. */
  readonly length: number;
  /** A whole text without a cache, with positions and mask of each row: f32[B, T, V]. */
  read(bound: Bound<P>, input: ReadInput): Tensor;
  /** What attentions look at in a whole text, for pictures: maps [B, heads, T, T] by block, `decoder.0`. */
  maps?(bound: Bound<P>, ids: Tensor): Readonly<Record<string, Tensor>>;
  /** Names and types of the cache for `batch` rows and `capacity` places. */
  cache(batch: number, capacity: number): Types;
  decode(bound: Bound<P>, input: DecodeInput): DecodeOutput;
}

/** Sources of different lengths in one tensor. */
export interface SourceInput {
  /** i32[B, S] */
  readonly source: Tensor;
  /** f32[B, S]: 1 where there is a token, 0 where there is none. */
  readonly sourceMask: Tensor;
}

/** Ids of a source and of a text to logits of the text, one position ahead. */
export interface EncoderDecoderModel<P extends Params = Params> extends Layer<
  P,
  [source: Tensor, sourceMask: Tensor, ids: Tensor],
  Tensor
> {
  readonly kind: 'encoder-decoder';
  /** Name under which `MODELS` can make it again. */
  readonly architecture: string;
  readonly config: Json;
  readonly vocabulary: number;
  /** Longest source and longest text in tokens. */
  readonly sourceLength: number;
  readonly length: number;
  /**
   * What attentions look at in a whole text and its source, for pictures: maps [B, heads, T, S] by block, `encoder.0`,
   * `decoder.0`, and `decoder.0.cross` from the text to the source.
   */
  maps?(bound: Bound<P>, input: SourceInput & { readonly ids: Tensor }): Readonly<Record<string, Tensor>>;
  /** Names and types of what is kept of `batch` sources of `tokens` tokens. */
  memory(batch: number, tokens: number): Types;
  encode(bound: Bound<P>, input: SourceInput): Readonly<Record<string, Tensor>>;
  /** Names and types of the cache for `batch` rows and `capacity` places. */
  cache(batch: number, capacity: number): Types;
  /** @param memory what `encode` gave for these sources */
  decode(
    bound: Bound<P>,
    input: DecodeInput & Pick<SourceInput, 'sourceMask'> & { readonly memory: Readonly<Record<string, Tensor>> },
  ): DecodeOutput;
}

/** Which class a row of tokens is of: [B, T] tokens and which of them are there to logits f32[B, classes]. */
export interface ClassifierModel<P extends Params = Params> extends Layer<
  P,
  [tokens: Tensor, tokenMask: Tensor],
  Tensor
> {
  readonly kind: 'classifier';
  /** Name under which `MODELS` can make it again. */
  readonly architecture: string;
  readonly config: Json;
  /** What attentions look at, for pictures: maps [B, heads, T, T] by block, `encoder.0`. */
  maps?(bound: Bound<P>, tokens: Tensor, tokenMask: Tensor): Readonly<Record<string, Tensor>>;
  /** Numbers of a token f32[B, T, F]; null where tokens are ids i32[B, T]. */
  readonly features: number | null;
  /** Most tokens of a row. */
  readonly length: number;
  readonly classes: number;
}

/** What writes texts, token by token. */
export type GenerativeModel = DecoderModel | EncoderDecoderModel;

export type Model = GenerativeModel | ClassifierModel;

/** How a plugin offers an architecture: plain JSON in, a model out. */
export interface ModelFactory {
  readonly name: string;
  create(config: Json, parts: PartSource): Model;
}

/** Finds layers by name among what plugins contributed. */
export interface PartSource {
  part(
    point: 'attention' | 'ffn' | 'norm' | 'positions',
    name: string,
    config: Readonly<Record<string, Json>>,
  ): unknown;
}
