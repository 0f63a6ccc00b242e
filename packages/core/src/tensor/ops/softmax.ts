/** Softmax and its logarithm over the last axis: ops, because every engine has a fused form. */

import { defineOp } from '../op.js';
import type { Tensor } from '../tensor.js';

/** Subtracting the largest element changes nothing but the range; no gradient flows through it. */
const shifted = (x: Tensor): Tensor => x.sub(x.max(-1, { keep: true }).stopGradient());

export const softmaxOp = defineOp({
  name: 'softmax',
  version: 1,
  infer: ([x]) => [x!],
  decompose([x]) {
    const e = shifted(x!).exp();
    return [e.div(e.sum(-1, { keep: true }))];
  },
  vjp({ cts: [ct], outputs: [y] }) {
    const weighted = ct!.mul(y!);
    return [weighted.sub(y!.mul(weighted.sum(-1, { keep: true })))];
  },
});

export const logSoftmaxOp = defineOp({
  name: 'logSoftmax',
  version: 1,
  infer: ([x]) => [x!],
  decompose([x]) {
    const z = shifted(x!);
    return [z.sub(z.exp().sum(-1, { keep: true }).log())];
  },
  vjp: ({ cts: [ct], outputs: [y] }) => [ct!.sub(y!.exp().mul(ct!.sum(-1, { keep: true })))],
});

/** @shape [..., V] -> [..., V], rows that sum to 1 */
export const softmax = (x: Tensor): Tensor => softmaxOp([x], {})[0]!;

/** @shape [..., V] -> [..., V] */
export const logSoftmax = (x: Tensor): Tensor => logSoftmaxOp([x], {})[0]!;

/** @shape [..., V] -> [...] */
export const logSumExp = (x: Tensor): Tensor => {
  const top = x.max(-1, { keep: true }).stopGradient();
  return x
    .sub(top)
    .exp()
    .sum(-1)
    .log()
    .add(top.reshape(...x.shape.slice(0, -1)));
};
