/** The position-wise networks. */

import { defineLayer, gelu, relu, silu, type Layer, type Params, type Tensor } from '@heddle/core';
import { dense, residual } from './dense.js';

/** @shape [B, N, D] -> [B, N, D] */
export type FeedForwardPart<P extends Params = Params> = Layer<P, [x: Tensor], Tensor>;

/** What every feed-forward is told; `options.ffn` of the model's configuration is added to it. */
export type FeedForwardConfig = {
  readonly width: number;
  readonly hidden: number;
  readonly bias: boolean;
  readonly dropout: number;
  /** Number of this block, and of blocks. */
  readonly block: number;
  readonly depth: number;
};

/** Down(silu(gate x) * up x) (Shazeer 2020). */
export const swiglu = ({ width, hidden, bias, depth }: FeedForwardConfig) =>
  defineLayer({
    name: 'swiglu',
    params: {
      gate: dense(width, hidden, { bias }),
      up: dense(width, hidden, { bias }),
      down: dense(hidden, width, { bias, init: residual(depth) }),
    },
    apply: ({ gate, up, down }, x: Tensor): Tensor => down(silu(gate(x)).mul(up(x))),
  });

const plain =
  (name: string, activation: (x: Tensor) => Tensor) =>
  ({ width, hidden, bias, depth }: FeedForwardConfig) =>
    defineLayer({
      name,
      params: { up: dense(width, hidden, { bias }), down: dense(hidden, width, { bias, init: residual(depth) }) },
      apply: ({ up, down }, x: Tensor): Tensor => down(activation(up(x))),
    });

/** Down(gelu(up x)), the exact GELU. */
export const geluFeedForward = plain('gelu', x => gelu(x));

/** Down(relu(up x)) (Vaswani et al. 2017). */
export const reluFeedForward = plain('relu', relu);
