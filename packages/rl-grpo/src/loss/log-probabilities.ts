/** Log-probabilities of chosen tokens, and the entropy of what they were chosen from. */

import type { Tensor } from '@heddle/core';
import { tokenScoresOp } from '../ops/token-scores.js';

/**
 * @shape logits [..., V], tokens i32[...] -> logp [...], entropy [...] (nats)
 * @param temperature what logits were divided by when the tokens were sampled
 */
export function tokenLogProbabilities(
  logits: Tensor,
  tokens: Tensor,
  temperature = 1,
): { readonly logp: Tensor; readonly entropy: Tensor } {
  const [logp, entropy] = tokenScoresOp([logits, tokens], { temperature });
  return { logp: logp!, entropy: entropy! };
}
