/** Log-probabilities of chosen tokens, and the entropy of what they were chosen from. */

import { logProbabilityOp, type Tensor } from '@heddle/core';

/**
 * @shape logits [..., V], tokens i32[...] -> logp [...], entropy [...] (nats)
 * @param temperature what logits were divided by when the tokens were sampled
 */
export function tokenLogProbabilities(
  logits: Tensor,
  tokens: Tensor,
  temperature = 1,
): { readonly logp: Tensor; readonly entropy: Tensor } {
  // Its second output is the whole log-softmax, which both share.
  const [logp, all] = logProbabilityOp([logits.div(temperature), tokens], {});
  return { logp: logp!, entropy: all!.exp().mul(all!).sum(-1).neg() };
}
