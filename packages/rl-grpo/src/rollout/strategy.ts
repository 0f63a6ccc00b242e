/** How answers come to be: a strategy decodes prompts over a session and says what it did, as trajectories. */

import { fail } from '@heddle/core';
import { checkSegments } from '../structure/segments.js';
import { parallelRollouts, type ParallelOptions, type Trajectory } from './parallel.js';
import type { PathSession, SessionPath } from './session.js';

export interface RolloutCall {
  readonly session: PathSession;
  /** At most as many as the session has slots. */
  readonly prompts: readonly (readonly number[])[];
  /** Number of the first prompt among all of a batch: what a row samples depends on the seed and its number alone. */
  readonly first: number;
  readonly seed: number;
  readonly temperature: number;
  /** Of the weights. */
  readonly version: number;
  readonly signal?: AbortSignal;
}

export interface RolloutStrategy {
  readonly name: string;
  /** One trajectory for each prompt, in order. */
  rollout(call: RolloutCall): Promise<readonly Trajectory[]>;
}

/** What the built-in strategies are told once. */
export type StrategyOptions = Omit<ParallelOptions, 'seed' | 'version' | 'temperature' | 'first'>;

/** Thinking in parallel paths where the model opens a block. */
export const parallelStrategy = (options: StrategyOptions): RolloutStrategy => ({
  name: 'parallel',
  rollout: ({ session, prompts, signal, ...call }) =>
    parallelRollouts<SessionPath>(session, prompts, { ...options, ...call }, signal),
});

/** One line of tokens, whatever tags it holds. */
export const sequentialStrategy = (options: StrategyOptions): RolloutStrategy => ({
  ...parallelStrategy({ ...options, maxBlocks: 0 }),
  name: 'sequential',
});

/**
 * Several answers of another strategy for each prompt, of which the best is kept. What is kept is no sample of the policy
 * any more, so it is for evaluation and for gathering texts, not for the loss.
 *
 * @param rank higher is better; of equals the first is kept
 */
export const bestOfN = (
  strategy: RolloutStrategy,
  n: number,
  rank: (answer: Trajectory) => number | Promise<number>,
): RolloutStrategy => {
  if (!(Number.isSafeInteger(n) && n >= 1))
    fail('E_CONFIG', `bestOfN: expected a whole number of answers from 1 up, received ${n}.`, { n });
  return {
    name: `best of ${n}, ${strategy.name}`,
    async rollout(call) {
      const best: { answer: Trajectory; rank: number }[] = [];
      for (let draw = 0; draw < n; draw++) {
        const answers = await strategy.rollout({ ...call, seed: call.seed * n + draw });
        for (const [i, answer] of answers.entries()) {
          const own = await rank(answer);
          if (!best[i] || own > best[i].rank) best[i] = { answer, rank: own };
        }
      }
      return best.map(({ answer }) => answer);
    },
  };
};

/**
 * Checks what a strategy gave: anybody may write one, and training trusts it.
 *
 * @throws E_STRUCTURE naming strategy, row and what is wrong
 */
export function checkTrajectories(name: string, found: readonly Trajectory[], call: RolloutCall): void {
  const refuse = (what: string, details: Record<string, unknown>): never =>
    fail('E_STRUCTURE', `rollout '${name}': ${what}`, { strategy: name, ...details });
  if (found.length !== call.prompts.length)
    refuse(
      `expected ${call.prompts.length} trajectories, received ${found.length}. Give one for each prompt, in order.`,
      {
        prompts: call.prompts.length,
        received: found.length,
      },
    );
  for (const [row, { ids, promptLength, segments, logp, sampled, version }] of found.entries()) {
    checkSegments(segments, ids.length);
    if (logp.length !== ids.length || sampled.length !== ids.length)
      refuse(`row ${row}: expected one logp and one sampled for each of ${ids.length} tokens, received ${logp.length} and ${sampled.length}.`, { row }); // prettier-ignore
    const prompt = call.prompts[row]!;
    if (promptLength !== prompt.length || prompt.some((id, i) => id !== ids[i]))
      refuse(`row ${row}: expected the ${prompt.length} tokens of its prompt first, received others.`, { row });
    if (version !== call.version)
      refuse(`row ${row}: expected version ${call.version} of the weights, received ${version}. Say which weights sampled it.`, { row }); // prettier-ignore
    const bad = logp.findIndex((x, i) => sampled[i]! > 0 && x !== null && !(x <= 0 && Number.isFinite(x)));
    if (bad >= 0)
      refuse(
        `row ${row}, token ${bad}: expected a log-probability, or null where nobody knows it, received ${logp[bad]}.`,
        { row },
      );
  }
}
