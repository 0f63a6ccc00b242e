/** The linear maps of a block, with biases or, for models without, none. */

import {
  affine,
  linear as withoutBias,
  zeros,
  type Initialiser,
  type Layer,
  type Param,
  type Tensor,
} from '@heddle/core';
import { fanIn, glorot } from './initialisers.js';

/** A map that may be without a bias: it then declares none. */
export type Linear = Layer<{ readonly weight: Param; readonly bias?: Param }, [x: Tensor], Tensor>;

export interface LinearOptions {
  readonly bias: boolean;
  readonly init?: Initialiser;
  readonly biasInit?: Initialiser;
}

/** x W, and + b if asked. @shape x [..., from] -> [..., to]; weight [from, to], bias [to] */
export function linear(
  from: number,
  to: number,
  { bias, init = fanIn(from), biasInit = fanIn(from) }: LinearOptions,
): Linear {
  // A layer that declares no bias is one that does not use it.
  return (bias ? affine(from, to, { init, biasInit }) : withoutBias(from, to, { init })) as unknown as Linear;
}

/** Queries, keys, values and gates: Glorot with gain 1 / sqrt 2. */
export const projection = (from: number, to: number, bias: boolean): Linear =>
  linear(from, to, { bias, init: glorot(from, to, Math.SQRT1_2) });

/** The map that ends a block: Glorot, bias 0. */
export const outward = (from: number, to: number, bias: boolean): Linear =>
  linear(from, to, { bias, init: glorot(from, to), biasInit: zeros });
