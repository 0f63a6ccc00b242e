/** The linear maps of a block, with biases or, for models without, none. */

import { defineLayer, param, zeros, type Initialiser, type Layer, type Param, type Tensor } from '@heddle/core';
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
  const weight = param([from, to], init);
  // A layer that declares no bias is one that does not use it.
  return (bias
    ? defineLayer({
        name: 'linear',
        params: { weight, bias: param([to], biasInit) },
        apply: (bound, x: Tensor): Tensor => x.matmul(bound.weight).add(bound.bias),
      })
    : defineLayer({
        name: 'linear',
        params: { weight },
        apply: (bound, x: Tensor): Tensor => x.matmul(bound.weight),
      })) as unknown as Linear;
}

/** Queries, keys, values and gates: Glorot with gain 1 / sqrt 2. */
export const projection = (from: number, to: number, bias: boolean): Linear =>
  linear(from, to, { bias, init: glorot(from, to, Math.SQRT1_2) });

/** The map that ends a block: Glorot, bias 0. */
export const outward = (from: number, to: number, bias: boolean): Linear =>
  linear(from, to, { bias, init: glorot(from, to), biasInit: zeros });
