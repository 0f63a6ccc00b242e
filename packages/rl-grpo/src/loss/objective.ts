/** The whole loss of a policy: the objective of its choice, distance from a reference, entropy. */

import { fail, type Loss, type Tensor } from '@heddle/core';
import { aggregate, maskedMean } from './aggregate.js';
import { klEstimators } from './kl.js';
import type { LossConfig } from './options.js';
import {
  clippedSequences,
  clippedTokens,
  clippedWeights,
  geometricMean,
  policyGradient,
  softGate,
  type PolicyInputs,
  type PolicyLoss,
} from './policy.js';

/** @shape [B, T] each */
export interface ObjectiveInputs extends PolicyInputs {
  /** Needed for `kl: 'loss'` alone. */
  readonly reference?: Tensor;
  /** Of what each token was chosen from; needed for an `entropyWeight` above 0, and measured if given. */
  readonly entropy?: Tensor;
}

const losses: Readonly<Record<LossConfig['loss'], (x: PolicyInputs, config: LossConfig) => PolicyLoss>> = {
  clip: clippedTokens,
  gspo: clippedSequences,
  gmpo: geometricMean,
  cispo: clippedWeights,
  sapo: x => softGate(x),
  gradient: policyGradient,
};

/**
 * Sum and count apart, so that parts of a batch add up to the whole, whatever the lengths of their answers.
 *
 * @param length what `seq-sum-norm` and `batch-sum-norm` divide by: the longest answer there may be
 * @throws E_CONFIG when the reference or the entropy is wanted and not given
 */
export function policyObjective(x: ObjectiveInputs, config: LossConfig, length?: number): Loss {
  const { each, metrics } = losses[config.loss](x, config);
  const parts = [each];
  const more: Record<string, Tensor> = {};
  if (config.kl === 'loss') {
    const kl = klEstimators[config.klEstimator](
      x.policy,
      needed(x.reference, 'reference', "kl: 'loss'").stopGradient(),
    );
    parts.push(kl.mul(config.klWeight));
    more['klReference'] = maskedMean(kl, x.mask);
  }
  if (config.entropyWeight > 0) parts.push(needed(x.entropy, 'entropy', 'an entropyWeight').mul(-config.entropyWeight));
  if (x.entropy) more['entropy'] = maskedMean(x.entropy, x.mask);
  const { sum, count } = aggregate(
    parts.reduce((a, b) => a.add(b)),
    x.mask,
    config.aggregation,
    length,
  );
  const all = { ...metrics, ...more };
  // Metrics are divided by the loss's count: each is a mean already.
  return { sum, count, metrics: Object.fromEntries(Object.entries(all).map(([name, m]) => [name, m.mul(count)])) };
}

const needed = (tensor: Tensor | undefined, name: string, why: string): Tensor =>
  tensor ??
  fail('E_CONFIG', `policyObjective: expected '${name}' for ${why}, received none. Give it, or change the options.`, {
    name,
  });
