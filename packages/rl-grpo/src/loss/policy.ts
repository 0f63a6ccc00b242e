/** Losses of tokens by which a policy follows its advantages. */

import { clip, maximum, minimum, sigmoid, sign, where, type Tensor } from '@heddle/core';
import { maskedMean } from './aggregate.js';

/** @shape [B, T] each */
export interface PolicyInputs {
  /** Log-probabilities of the sampled tokens under the policy that learns. */
  readonly policy: Tensor;
  /** Under the policy that sampled; no gradient goes there. */
  readonly old: Tensor;
  readonly advantages: Tensor;
  /** 1 for tokens that count. */
  readonly mask: Tensor;
}

export interface PolicyLoss {
  /** @shape [B, T] */
  readonly each: Tensor;
  /** @shape f32[] each */
  readonly metrics: Readonly<Record<'clipFraction' | 'clipFractionLower' | 'kl', Tensor>>;
}

export interface ClipOptions {
  /** The ratio may fall by this much… */
  readonly clipLow: number;
  /** …and rise by this much; more than `clipLow` is DAPO's clip-higher. */
  readonly clipHigh: number;
}

const share = (condition: Tensor, mask: Tensor): Tensor => maskedMean(condition.cast('f32'), mask);
const none = (x: PolicyInputs): Tensor => x.mask.sum().mul(0);

/** Logarithm of the ratio, held within 20 so that its exponential stays finite. */
const logRatio = ({ policy, old }: PolicyInputs): Tensor => clip(policy.sub(old.stopGradient()), -20, 20);

/** The clipped objective for ratios of tokens or sequences. With a `dualClip` the loss of a bad token is bounded. */
function clipped(x: PolicyInputs, ratio: Tensor, { clipLow, clipHigh }: ClipOptions, dualClip: number | null) {
  const gain = x.advantages.neg();
  const [free, held] = [gain.mul(ratio), gain.mul(clip(ratio, 1 - clipLow, 1 + clipHigh))];
  const worse = maximum(free, held);
  const clipFraction = share(held.greater(free), x.mask);
  if (dualClip === null) return { each: worse, clipFraction, clipFractionLower: none(x) };
  const [bad, bound] = [x.advantages.less(0), gain.mul(dualClip)];
  const hit = worse.greater(bound).cast('f32').mul(bad.cast('f32'));
  return { each: where(bad, minimum(worse, bound), worse), clipFraction, clipFractionLower: share(hit, x.mask) };
}

/** PPO's clipped loss of tokens: GRPO, DAPO with `clipHigh` above `clipLow`, dual clip with its bound. */
export function clippedTokens(
  x: PolicyInputs,
  { dualClip = null, ...range }: ClipOptions & { readonly dualClip?: number | null },
): PolicyLoss {
  const gap = logRatio(x);
  const { each, clipFraction, clipFractionLower } = clipped(x, gap.exp(), range, dualClip);
  return { each, metrics: { clipFraction, clipFractionLower, kl: maskedMean(gap.neg(), x.mask) } };
}

/** Mean of a sequence's tokens that count, for each token of it. @shape [B, T] -> [B, 1] */
const sequenceMean = (x: Tensor, mask: Tensor): Tensor =>
  x
    .mul(mask)
    .sum(1, { keep: true })
    .div(maximum(mask.sum(1, { keep: true }), 1));

/** GSPO: one ratio for a sequence, the geometric mean of its tokens'; clipping keeps or drops whole sequences. */
export function clippedSequences(x: PolicyInputs, range: ClipOptions): PolicyLoss {
  const gap = x.policy.sub(x.old.stopGradient());
  const whole = sequenceMean(gap, x.mask).stopGradient();
  // The value is the sequence's, the gradient each token's own.
  const ratio = minimum(x.policy.sub(x.policy.stopGradient()).add(whole), 10).exp();
  const { each, clipFraction, clipFractionLower } = clipped(x, ratio, range, null);
  return { each, metrics: { clipFraction, clipFractionLower, kl: maskedMean(gap.neg(), x.mask) } };
}

/** GMPO: the geometric mean over a sequence of ratios, each clipped in the logarithm. */
export function geometricMean(x: PolicyInputs, { clipLow, clipHigh }: ClipOptions): PolicyLoss {
  const gap = x.policy.sub(x.old.stopGradient());
  const held = clip(gap, -clipLow, clipHigh);
  const direction = sign(x.advantages);
  const used = minimum(direction.mul(gap), direction.mul(held)).mul(direction);
  const each = sequenceMean(x.advantages, x.mask).mul(sequenceMean(used, x.mask).exp()).neg().broadcastTo(gap.shape);
  const outside = gap.equal(held).cast('f32').neg().add(1);
  const on = (side: Tensor): Tensor => maskedMean(outside.mul(side.cast('f32')), x.mask);
  return {
    each,
    metrics: {
      clipFraction: on(x.advantages.greater(0)),
      clipFractionLower: on(x.advantages.less(0)),
      kl: maskedMean(gap.neg(), x.mask),
    },
  };
}

/** CISPO: REINFORCE with clipped importance weights, so that every token keeps its gradient. */
export function clippedWeights(x: PolicyInputs, { clipLow, clipHigh }: ClipOptions): PolicyLoss {
  const gap = logRatio(x);
  const ratio = gap.exp();
  const weight = clip(ratio, 1 - clipLow, 1 + clipHigh);
  return {
    each: weight.stopGradient().mul(x.advantages).mul(x.policy).neg(),
    metrics: {
      clipFraction: share(weight.equal(ratio).cast('f32').neg().add(1), x.mask),
      clipFractionLower: none(x),
      kl: maskedMean(gap.neg(), x.mask),
    },
  };
}

/** SAPO: a smooth gate in place of a clip, sharper for bad tokens. */
export function softGate(
  x: PolicyInputs,
  { tauPositive = 1, tauNegative = 1.05 }: { readonly tauPositive?: number; readonly tauNegative?: number } = {},
): PolicyLoss {
  const gap = logRatio(x);
  const tau = where(x.advantages.greater(0), x.advantages.mul(0).add(tauPositive), tauNegative);
  const gate = sigmoid(gap.exp().sub(1).mul(tau)).mul(4).div(tau);
  return {
    each: gate.mul(x.advantages).neg(),
    metrics: { clipFraction: none(x), clipFractionLower: none(x), kl: maskedMean(gap.neg(), x.mask) },
  };
}

/** REINFORCE, and GPG: no ratio, so one optimizer step for each batch. */
export function policyGradient(x: PolicyInputs): PolicyLoss {
  return {
    each: x.policy.mul(x.advantages).neg(),
    metrics: { clipFraction: none(x), clipFractionLower: none(x), kl: maskedMean(x.old.sub(x.policy), x.mask) },
  };
}
