/** The clipped objective of tokens, with its gradient in one pass. */

import {
  abs,
  clip,
  defineOp,
  maximum,
  minimum,
  refuse,
  sameType,
  showTypes,
  where,
  type Attrs,
  type Tensor,
  type TensorType,
} from '@heddle/core';

export type ClipAttrs = Attrs & {
  readonly clipLow: number;
  readonly clipHigh: number;
  /** null for none. */
  readonly dualClip: number | null;
};

/** Beyond it a ratio is held, so that it stays finite. */
const widest = 20;

function expectAlike(op: string, types: readonly TensorType[], count: number): void {
  if (types.length !== count || !types.every(type => type.dtype === 'f32' && sameType(type, types[0]!)))
    refuse(op, 'E_SHAPE', `expected ${count} tensors of one shape, received ${showTypes(types)}.`, { types });
}

/** What both ops work out: the ratio, the loss where it is free, and the smaller of free and held gain. */
function parts(policy: Tensor, old: Tensor, advantages: Tensor, { clipLow, clipHigh }: ClipAttrs) {
  const ratio = clip(policy.sub(old), -widest, widest).exp();
  const loss = advantages.neg();
  const [free, held] = [loss.mul(ratio), loss.mul(clip(ratio, 1 - clipLow, 1 + clipHigh))];
  return { ratio, loss, free, held };
}

/**
 * Inputs [...] each: log-probabilities of the policy that learns, of the one that sampled, advantages. Output [...]: PPO's
 * loss, bounded for bad tokens by `dualClip` times their advantage. Gradients flow to the first input alone.
 */
export const clippedOp = defineOp<ClipAttrs>({
  name: 'rl.clipped',
  version: 1,
  infer(types) {
    expectAlike('rl.clipped', types, 3);
    return [types[0]!];
  },
  decompose([policy, old, advantages], attrs) {
    const { loss, free, held } = parts(policy!, old!.stopGradient(), advantages!.stopGradient(), attrs);
    const worse = maximum(free, held);
    if (attrs.dualClip === null) return [worse];
    return [where(advantages!.less(0), minimum(worse, loss.mul(attrs.dualClip)), worse)];
  },
  vjp: ({ cts: [ct], inputs, attrs }) => [clippedGradientOp([...inputs, ct!], attrs)[0]!, null, null],
});

/** The same inputs and what flows back; output [...]: what flows to the log-probabilities. */
export const clippedGradientOp = defineOp<ClipAttrs>({
  name: 'rl.clippedGradient',
  version: 1,
  infer(types) {
    expectAlike('rl.clippedGradient', types, 4);
    return [types[0]!];
  },
  decompose([policy, old, advantages, ct], attrs) {
    const { loss, free, held } = parts(policy!, old!, advantages!, attrs);
    const zero = ct!.mul(0);
    const moves = where(held.greater(free), zero, where(abs(policy!.sub(old!)).greater(widest), zero, free.mul(ct!)));
    if (attrs.dualClip === null) return [moves];
    const bound = where(advantages!.less(0), loss.mul(attrs.dualClip), free.add(1));
    return [where(maximum(free, held).greater(bound), zero, moves)];
  },
});
