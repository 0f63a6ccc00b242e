/** Rewards as the kernel's extension point has them: by name, over batches, without a training step. */

import type { Reward } from '@heddle/core';
import { combineRewards, type RewardFunction, type RewardName } from './rewards.js';

/** A reward for hosts. It sees step 1, and no lengths: those that need them are for the trainer. */
export const kernelReward = (name: string, reward: RewardFunction): Reward => ({
  name,
  score: (batch, signal) =>
    Promise.all(
      batch.map(async sample => {
        signal?.throwIfAborted();
        return reward({ ...sample, step: 1, length: 0, limit: 1 }, signal);
      }),
    ),
});

const offered: readonly RewardName[] = [
  'accuracy',
  'parallel-bonus',
  'parallel-and-accurate',
  'accurate-and-formed',
  'format',
];

export const kernelRewards: readonly Reward[] = offered.map(name =>
  kernelReward(`parallel-r1:${name}`, sample => combineRewards([{ reward: name }])(sample)),
);
