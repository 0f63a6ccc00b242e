/** What training minimises: likelihood of structured texts, or the objective of a policy. */

import { f32, type Bound, type DecoderModel, type Loss, type Objective, type Params, type Tensor } from '@heddle/core';
import type { LossConfig } from '../loss/options.js';
import { policyObjective } from '../loss/objective.js';
import { rowTypes, scoreRows, type RowsShape } from './rows.js';

type Batch = Readonly<Record<string, Tensor>>;

/** SFT on texts with structure: the mean negative log-probability of the scored tokens. */
export const structuredText = (model: DecoderModel): Objective => ({
  name: 'structuredText',
  batch: (batch, length) => rowTypes({ batch, length }),
  loss(bound, batch: Batch): Loss {
    const { logp } = scoreRows(model, bound as unknown as Bound<Params>, batch);
    const mask = batch['mask']!;
    return { sum: logp.mul(mask).sum().neg(), count: mask.sum() };
  },
});

/** Types of what a policy's objective reads beside rows. @shape [B, R] each */
export const policyTypes = (shape: RowsShape, config: LossConfig): ReturnType<typeof rowTypes> => {
  const { batch: B, length: T, scored: R = T } = shape;
  return {
    ...rowTypes(shape),
    old: f32(B, R),
    advantages: f32(B, R),
    ...(config.kl === 'loss' ? { reference: f32(B, R) } : {}),
  };
};

/**
 * GRPO and its family, as `config` says. Log-probabilities are at the temperature at which the tokens were sampled.
 *
 * @param length what `seq-sum-norm` and `batch-sum-norm` divide by: the longest answer there may be
 */
export const policyTraining = (model: DecoderModel, config: LossConfig, length?: number): Objective => ({
  name: 'policy',
  batch: (batch, longest) => policyTypes({ batch, length: longest }, config),
  loss(bound, batch: Batch): Loss {
    const { logp, entropy } = scoreRows(model, bound as unknown as Bound<Params>, batch, config.temperature);
    const { old, advantages, mask, reference } = batch as Readonly<
      Record<'old' | 'advantages' | 'mask' | 'reference', Tensor>
    >;
    const inputs = { policy: logp, old, advantages, mask, entropy, ...(reference ? { reference } : {}) };
    return policyObjective(inputs, config, length);
  },
});
