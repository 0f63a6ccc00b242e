import { defineOp, softplus, type Tensor } from '@heddle/core';

/** x * tanh(softplus(x)) (Misra 2019). @shape [...s] -> [...s] */
export const mishOp = defineOp({
  name: 'warp.mish',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x]) => [x!.mul(softplus(x!).tanh())],
});

export const mish = (x: Tensor): Tensor => mishOp([x], {})[0]!;
