/** Matrices of the model and how they begin. */

import { affine, linear, normal, type Initialiser, type Tensor, type Layer, type Param } from '@heddle/core';

/** Standard deviation of matrices and embeddings at the start, as in GPT-2. */
export const spread = 0.02;

/** For matrices that end a residual branch: 2 branches a block add up, so each starts smaller (Radford et al. 2019). */
export const residual = (depth: number): Initialiser => normal(spread / Math.sqrt(2 * depth));

type Dense = Layer<{ readonly weight: Param; readonly bias?: Param }, [x: Tensor], Tensor>;

/** x W, and + b if asked. @shape x [..., from] -> [..., to]; weight [from, to], bias [to] */
export const dense = (
  from: number,
  to: number,
  { bias = false, init = normal(spread) }: { readonly bias?: boolean; readonly init?: Initialiser } = {},
): Dense =>
  // A layer that declares no bias is one that does not use it.
  (bias ? affine(from, to, { init }) : linear(from, to, { init })) as unknown as Dense;
