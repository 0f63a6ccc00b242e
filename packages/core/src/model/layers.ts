/** The layers that every model needs. */

import { fail } from '../errors.js';
import { layerNorm as normaliseRows, rmsNorm as scaleRows } from '../tensor/ops/normalise.js';
import type { Tensor } from '../tensor/tensor.js';
import { normal, ones, xavier, zeros, type Initialiser } from './initialisers.js';
import { defineLayer, param, type Context } from './layer.js';
import type { Shape } from '../ir/types.js';

/**
 * x W, plus a bias if asked.
 *
 * @shape x [..., from] -> [..., to]; weight [from, to]
 */
export const linear = (from: number, to: number, { init = xavier as Initialiser } = {}) =>
  defineLayer({
    name: 'linear',
    params: { weight: param([from, to], init) },
    apply: ({ weight }, x: Tensor): Tensor => x.matmul(weight),
  });

/** x W + b. @shape x [..., from] -> [..., to] */
export const affine = (
  from: number,
  to: number,
  { init = xavier as Initialiser, biasInit = zeros as Initialiser } = {},
) =>
  defineLayer({
    name: 'affine',
    params: { weight: param([from, to], init), bias: param([to], biasInit) },
    // On rows, where engines take the bias into the product.
    apply: ({ weight, bias }, x: Tensor): Tensor =>
      x
        .reshape(-1, from)
        .matmul(weight)
        .add(bias)
        .reshape(...x.shape.slice(0, -1), to),
  });

/** Rows of a table. @shape ids i32[...] -> [..., width] */
export const embedding = (rows: number, width: number, { init = normal(0.02) as Initialiser } = {}) =>
  defineLayer({
    name: 'embedding',
    params: { weight: param([rows, width], init) },
    apply: ({ weight }, ids: Tensor): Tensor => weight.gather(ids),
  });

/** @shape x [..., width] -> [..., width] */
export const layerNorm = (width: number, { epsilon = 1e-5 } = {}) =>
  defineLayer({
    name: 'layerNorm',
    params: { weight: param([width], ones), bias: param([width], zeros) },
    apply: ({ weight, bias }, x: Tensor): Tensor => normaliseRows(x, weight, bias, { epsilon }),
  });

/** @shape x [..., width] -> [..., width] */
export const rmsNorm = (width: number, { epsilon = 1e-6 } = {}) =>
  defineLayer({
    name: 'rmsNorm',
    params: { weight: param([width], ones) },
    apply: ({ weight }, x: Tensor): Tensor => scaleRows(x, weight, { epsilon }),
  });

/**
 * Which cells dropout leaves, each with probability 1 - `rate`; null where it leaves all: at rate 0, and outside of
 * training. What is left is to be scaled by 1 / (1 - rate).
 *
 * @shape bool [...shape]
 */
export const keptCells = (context: Context, rate: number, shape: Shape): Tensor | null =>
  context.training && rate > 0 ? context.random(shape).less(1 - rate) : null;

/** Drops cells with probability `rate` while training and scales the others up; the identity otherwise. */
export function dropout(rate: number) {
  if (!(rate >= 0 && rate < 1))
    fail('E_CONFIG', `dropout: expected a rate from 0 up to, not including, 1, received ${rate}.`, { rate });
  return defineLayer({
    name: 'dropout',
    params: {},
    apply({ context }, x: Tensor): Tensor {
      const kept = keptCells(context, rate, x.shape);
      // A product, where engines are slow at choosing.
      return kept ? x.mul(1 / (1 - rate)).mul(kept.cast('f32')) : x;
    },
  });
}
