/** Kind `rl`: losses and advantages of verl and of PyTorch, rewards of TRL. */

import { parseGolden, type GoldenCase, type GoldenKind } from '@heddle/core/testing/golden';
import { cosineScaled, hasThinkSection, repetition, softOverlong } from '../reward/shaping.js';
import { grpoLoss, groupAdvantageRow, gspoLoss, klRow, logProbabilityRow, verlRow } from './losses.js';
import type { Row } from './rows.js';

/** By the start of a file's name. */
const families: Readonly<Record<string, (id: string, row: Row) => GoldenCase>> = {
  'grpo-advantages': groupAdvantageRow,
  'grpo-loss': grpoLoss,
  'gspo-loss': gspoLoss,
  'kl-estimators': klRow,
  'token-logprobs-entropy': logProbabilityRow,
  'trl-rewards': trlReward,
  'verl-core-algos': verlRow,
};

const startOf = (name: string): string | undefined =>
  Object.keys(families).find(start => name.split('/').at(-1)!.startsWith(start));

export const rl: GoldenKind = {
  name: 'rl',
  recognises: name => /\.jsonl?$/.test(name) && startOf(name) !== undefined,
  async *check({ name, text }) {
    const start = startOf(name)!;
    const content = await text();
    const rows = name.endsWith('l')
      ? content
          .split('\n')
          .filter(line => line.trim() !== '')
          .map(line => parseGolden(line) as Row)
      : (parseGolden(content) as readonly Row[]);
    for (const [i, row] of rows.entries()) yield families[start]!(String(row['id'] ?? `${start}#${i}`), row);
  },
};

function trlReward(id: string, row: Row): GoldenCase {
  const number = (name: string): number => row[name] as number;
  const params = (row['params'] ?? {}) as Readonly<Record<string, number>>;
  const rewards: Readonly<Record<string, () => number>> = {
    think_format_reward: () => Number(hasThinkSection(row['completion'] as string)),
    soft_overlong_punishment: () =>
      softOverlong(number('completionLength'), number('maxCompletionLen'), number('softPunishCache')),
    repetition_penalty_reward: () =>
      number('maxPenalty') * repetition(row['completionIds'] as readonly number[], number('ngramSize')),
    cosine_scaled_reward: () =>
      cosineScaled(row['correct'] as boolean, number('completionLength'), number('maxLen'), {
        correct: [params['min_value_correct'] ?? 0.5, params['max_value_correct'] ?? 1],
        wrong: [params['max_value_wrong'] ?? -0.5, params['min_value_wrong'] ?? -1],
      }),
  };
  const found = rewards[row['function'] as string]!();
  const [expected, tolerance] = [number('expected'), (row['tolerance'] ?? 1e-9) as number];
  const error = Math.abs(found - expected);
  return { id, passed: error <= tolerance, detail: `expected ${expected}, found ${found}`, error };
}
