/** The reward of the kernel: 1 for a right answer, 0 for a wrong or missing one. */

import type { Reward } from '@heddle/core';
import { grade, type GradeOptions } from './grade.js';

export interface RewardOptions extends GradeOptions {
  readonly correct?: number;
  /** Also for an answer that is missing or cannot be read: a model could leave samples out of its mean otherwise. */
  readonly incorrect?: number;
}

/** null only where the sample cannot be judged: no reference, an unreadable one, or an undecided comparison. */
export const mathReward = ({ correct = 1, incorrect = 0, ...options }: RewardOptions = {}, name = 'math'): Reward => ({
  name,
  score: async (batch, signal) => {
    const scores: (number | null)[] = [];
    for (const { completion, reference } of batch) {
      signal?.throwIfAborted();
      if (reference === null) {
        scores.push(null);
        continue;
      }
      const { verdict, stage } = grade(reference, completion, options);
      const unfair =
        verdict === 'undecided' ? stage !== 'read-answer' : stage === 'extract-gold' || stage === 'read-gold';
      scores.push(verdict === 'correct' ? correct : verdict !== 'incorrect' && unfair ? null : incorrect);
    }
    return scores;
  },
});
