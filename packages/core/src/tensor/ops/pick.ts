/** One cell of the last axis by number: reading it, adding to it, and the log-probability of a token. */

import { defineOp } from '../op.js';
import { refuse } from '../../ir/path.js';
import { sameShape, showTypes } from '../../ir/shape.js';
import { full, iota, where, type Tensor } from '../tensor.js';
import type { TensorType } from '../../ir/types.js';

function expectIndex(op: string, types: readonly TensorType[]): void {
  const [x, index] = types;
  if (index!.dtype !== 'i32' || !sameShape(index!.shape, x!.shape.slice(0, -1))) {
    refuse(op, 'E_SHAPE', `expected x [..., V] and an index i32[...], received ${showTypes(types)}.`, { types });
  }
}

const column = (index: Tensor): Tensor => index.reshape(...index.shape, 1);
const chosen = (like: Tensor, index: Tensor): Tensor => iota(like.shape, -1).equal(column(index));

/** `x[..., index]`. A product with a comparison, so that its gradient needs no scatter. */
export const pickOp = defineOp({
  name: 'pick',
  version: 1,
  infer(types) {
    expectIndex('pick', types);
    return [{ dtype: types[0]!.dtype, shape: types[1]!.shape }];
  },
  decompose: ([x, index]) => [where(chosen(x!, index!), x!, 0).sum(-1)],
  vjp: ({ cts: [ct], inputs: [x, index] }) => [addAt(full(x!.shape, 0), index!, ct!), null],
});

/** `x` with `amount` added at `x[..., index]`. */
export const addAtOp = defineOp({
  name: 'addAt',
  version: 1,
  infer(types) {
    expectIndex('addAt', types);
    return [types[0]!];
  },
  decompose: ([x, index, amount]) => [x!.add(where(chosen(x!, index!), column(amount!), 0))],
  vjp: ({ cts: [ct], inputs: [, index] }) => [ct!, null, pick(ct!, index!)],
});

/**
 * Log-probability of one token under a softmax. The log-softmax is the second output, kept for the gradient, which
 * then takes two passes over the vocabulary instead of five.
 */
export const logProbabilityOp = defineOp({
  name: 'logProbability',
  version: 1,
  infer(types) {
    expectIndex('logProbability', types);
    return [{ dtype: 'f32', shape: types[1]!.shape }, types[0]!];
  },
  decompose([logits, token]) {
    const z = logits!.sub(logits!.max(-1, { keep: true }).stopGradient());
    const all = z.sub(z.exp().sum(-1, { keep: true }).log());
    return [pick(all, token!), all];
  },
  vjp({ cts: [picked = null, rest = null], inputs: [, token], outputs: [, all] }) {
    const probabilities = all!.exp();
    const first = picked && addAt(probabilities.mul(column(picked).neg()), token!, picked);
    // Only a second derivative asks for the gradient of the residual.
    const second = rest && rest.sub(probabilities.mul(rest.sum(-1, { keep: true })));
    return [first && second ? first.add(second) : (first ?? second), null];
  },
});

/**
 * The same with the sum of all log-probabilities of the row beside it, which label smoothing asks for. Third comes the
 * log-softmax. The gradient takes three passes over the vocabulary; made of a log-softmax and its sum it took eight.
 */
export const logProbabilitiesOp = defineOp({
  name: 'logProbabilities',
  version: 1,
  infer(types) {
    expectIndex('logProbabilities', types);
    const row: TensorType = { dtype: 'f32', shape: types[1]!.shape };
    return [row, row, types[0]!];
  },
  decompose([logits, token]) {
    const [own, all] = logProbabilityOp([logits!, token!], {});
    return [own!, all!.sum(-1), all!];
  },
  vjp({ cts: [own = null, total = null, rest = null], inputs: [, token], outputs: [, , all] }) {
    const V = all!.shape.at(-1)!;
    const given = [own, total && total.mul(V), rest && rest.sum(-1)].filter(t => t !== null);
    const through = all!.exp().mul(column(given.reduce((x, y) => x.add(y)).neg()));
    const lifted = total ? through.add(column(total)) : through;
    const marked = own ? addAt(lifted, token!, own) : lifted;
    // Only a second derivative asks for the gradient of the residual.
    return [rest ? marked.add(rest) : marked, null];
  },
});

/** @shape x [..., V], index i32[...] -> [...] */
export const pick = (x: Tensor, index: Tensor): Tensor => pickOp([x, index], {})[0]!;

/** @shape x [..., V], index i32[...], amount [...] -> [..., V] */
export const addAt = (x: Tensor, index: Tensor, amount: Tensor): Tensor => addAtOp([x, index, amount], {})[0]!;

/** Of the token, and summed over all tokens. @shape logits [..., V], token i32[...] -> [...] each */
export function logProbabilities(logits: Tensor, token: Tensor): { readonly own: Tensor; readonly total: Tensor } {
  const [own, total] = logProbabilitiesOp([logits, token], {});
  return { own: own!, total: total! };
}

/** @shape logits [..., V], token i32[...] -> [...] */
export const logProbability = (logits: Tensor, token: Tensor): Tensor => logProbabilityOp([logits, token], {})[0]!;
