/** A block in its place: norm, residual connection, dropout. There is no other sub-layer. */

import { defineLayer, dropout, layerNormLayer, type Layer, type Params, type Tensor } from '@heddle/core';
import { partialBlock, type PartialBlock, type PartialResult, type PartialView } from './block.js';
import type { PartialConfig, PartialOptions } from './config.js';

export type Wiring = {
  /** x + block(norm x); otherwise norm(x + block x). */
  readonly preNorm: boolean;
  /** Share of the block's result dropped while training. */
  readonly dropout: number;
  readonly epsilon: number;
};

export interface SublayerResult {
  /** @shape [B, T, C] */
  readonly out: Tensor;
  /** What the norm gave: the block's input under pre-norm, the result under post-norm. */
  readonly normed: Tensor;
  readonly block: PartialResult;
}

export interface Sublayer extends Layer<Params, [x: Tensor, view?: PartialView], SublayerResult> {
  readonly config: PartialConfig;
}

interface WiredSublayer {
  readonly norm: (x: Tensor) => Tensor;
  readonly block: (x: Tensor, view?: PartialView) => PartialResult;
  readonly drop: (x: Tensor) => Tensor;
}

/** One block with its norm and residual connection: a whole encoder layer, and half of a decoder layer. */
export function partialSublayer(
  options: PartialOptions,
  { preNorm = true, dropout: rate = 0, epsilon = 1e-5 }: Partial<Wiring> = {},
): Sublayer {
  const block: PartialBlock = partialBlock(options);
  const layer = defineLayer<Params, [x: Tensor, view?: PartialView], SublayerResult>({
    name: 'sublayer',
    params: { norm: layerNormLayer(options.width, { epsilon }), block, drop: dropout(rate) },
    apply(bound, x, view = {}) {
      const wired = bound as unknown as WiredSublayer;
      const before = preNorm ? wired.norm(x) : x;
      const result = wired.block(before, view);
      const sum = x.add(wired.drop(result.out));
      const after = preNorm ? sum : wired.norm(sum);
      return { out: after, normed: preNorm ? before : after, block: result };
    },
  });
  return { ...layer, config: block.config };
}

/** What a decoder layer sees. */
export interface DecoderView {
  /** For the block that looks at the target. */
  readonly self?: PartialView;
  /** For the block that looks at the source; it gets no global map. */
  readonly cross: PartialView;
}

/** Self block, then cross block. @shape x [B, T, C] -> out [B, T, C] */
export type DecoderLayer = Layer<
  { readonly self: Sublayer; readonly cross: Sublayer },
  [x: Tensor, view: DecoderView],
  Tensor
> & { readonly config: PartialConfig };

export function partialDecoderLayer(options: PartialOptions, wiring: Partial<Wiring> = {}): DecoderLayer {
  const [self, cross] = [partialSublayer(options, wiring), partialSublayer(options, wiring)];
  const layer = defineLayer({
    name: 'decoderLayer',
    params: { self, cross },
    apply: (bound, x: Tensor, view: DecoderView): Tensor => bound.cross(bound.self(x, view.self).out, view.cross).out,
  });
  return { ...layer, config: self.config };
}
