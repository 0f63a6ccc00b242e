/** What a batch of answers says about the policy, as numbers beside the step. */

import type { Metrics } from '@heddle/core';
import type { Trajectory } from '../rollout/parallel.js';
import type { RolloutReport } from './policy-data.js';

/** Where an answer branches first, as a share of it; null for one that does not. */
export function firstBlockOf({ ids, promptLength, segments, opens }: Trajectory): number | null {
  if (opens) return opens.length === 0 ? null : (opens[0]! + 1 - promptLength) / (ids.length - promptLength);
  const branch = segments.findIndex((_, i) => segments.filter(({ parents }) => parents.includes(i)).length > 1);
  return branch < 0 ? null : (segments[branch]!.end - promptLength) / (ids.length - promptLength);
}

/** null of nothing. */
export const mean = (values: readonly number[]): number | null =>
  values.length === 0 ? null : values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Means over the answers of one draw or of several; what there is nothing to be said of is left out.
 *
 * `reward`, and `rewardWithBlocks`, `rewardWithoutBlocks`; `parallelRatio`, `firstBlock`; `answerLength` in tokens;
 * `cutShort`, `forcedCloses`, `unrewarded` for each answer; `idleGroups`, the share whose answers are all worth the same;
 * `brokeOff`, where answers did; `samplerGap`, where answers are scored anew: how far a token's log-probability is from what
 * the sampler said.
 */
export function rolloutMetrics(reports: readonly RolloutReport[]): Metrics {
  const answers = reports.flatMap(report => report.answers);
  const rewards = reports.flatMap(report => report.rewards);
  const groups = reports.reduce((sum, report) => sum + report.groups, 0);
  const informative = reports.reduce((sum, report) => sum + report.informative, 0);
  const gaps = reports.flatMap(report => report.samplerGaps);
  const places = answers.map(firstBlockOf);
  const known = answers.map((_, i) => ({ reward: rewards[i] ?? null, blocks: places[i] !== null }));
  const rewardOf = (wanted: (blocks: boolean) => boolean): number | null =>
    mean(known.flatMap(({ reward, blocks }) => (reward !== null && wanted(blocks) ? [reward] : [])));
  const found: Readonly<Record<string, number | null>> = {
    reward: rewardOf(() => true),
    rewardWithBlocks: rewardOf(blocks => blocks),
    rewardWithoutBlocks: rewardOf(blocks => !blocks),
    parallelRatio: mean(places.map(place => Number(place !== null))),
    firstBlock: mean(places.filter(place => place !== null)),
    answerLength: mean(answers.map(({ ids, promptLength }) => ids.length - promptLength)),
    cutShort: mean(answers.map(({ finish }) => Number(finish === 'length'))),
    forcedCloses: mean(answers.map(({ forcedCloses }) => forcedCloses)),
    unrewarded: mean(rewards.map(reward => Number(reward === null))),
    idleGroups: 1 - informative / groups,
    brokeOff: answers.some(({ finish }) => finish === 'fault')
      ? mean(answers.map(({ finish }) => Number(finish === 'fault')))
      : null,
    samplerGap: mean(gaps),
  };
  return Object.fromEntries(Object.entries(found).filter((entry): entry is [string, number] => entry[1] !== null));
}
