/** How far a policy is from a reference, from log-probabilities of sampled tokens (Schulman's estimators). */

import { abs, clip, type Tensor } from '@heddle/core';

/** @shape policy, reference [B, T] -> [B, T] */
export type KlEstimator = (policy: Tensor, reference: Tensor) => Tensor;

/** Unbiased, of high variance, may be negative. Its gradient as a loss is zero on average: put it into the reward. */
const k1: KlEstimator = (policy, reference) => policy.sub(reference);
const absolute: KlEstimator = (policy, reference) => abs(policy.sub(reference));
/** Biased, of low variance, never negative; right gradient. */
const k2: KlEstimator = (policy, reference) => policy.sub(reference).square().mul(0.5);
/** Unbiased, of low variance, never negative. The gap is held within 20 and the estimate within 10, as verl does. */
const k3: KlEstimator = (policy, reference) => {
  const gap = clip(reference.sub(policy), -20, 20);
  return clip(gap.exp().sub(gap).sub(1), -10, 10);
};

export const klEstimators = { k1, k2, k3, abs: absolute } as const satisfies Readonly<Record<string, KlEstimator>>;
export type KlName = keyof typeof klEstimators;
