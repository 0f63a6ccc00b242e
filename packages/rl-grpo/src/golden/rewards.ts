/** Rewards, answers and measures of the authors' code. */

import type { GoldenCase } from '@heddle/core/testing/golden';
import { answerRules, noAnswer, normaliseAnswer } from '../reward/answer.js';
import { efficiency, selfBleu } from '../reward/diversity.js';
import { combineRewards, type RewardInput, type RewardTerm } from '../reward/rewards.js';
import { countBlocks, withoutTags } from '../grammar/tags.js';
import { same, type Row } from './rows.js';

/** Their names as ours. */
const math: Readonly<Record<string, RewardTerm>> = {
  accuracy_reward: { reward: 'accuracy' },
  accuracy_add_efficiency_reward: { reward: 'efficiency' },
  accuracy_add_efficiency_reward_decay: { reward: 'efficiency', options: { decay: 50 } },
  accuracy_parallel_interv_reward: { reward: 'alternating' },
  format_times_accuracy_times_parallel_reward: { reward: 'parallel-and-accurate' },
  accuracy_parallel_reward: { reward: 'block-count' },
  accuracy_times_parallel_reward: { reward: 'parallel-and-accurate' },
  accuracy_add_parallel_reward: { reward: 'parallel-added' },
  accuracy_add_parallel_add_diversity_reward: { reward: 'diversity', options: { amount: 1 } },
  accuracy_add_diversity_reward: { reward: 'diversity' },
  emphase_acc: { reward: 'accurate-and-formed' },
  emphase_parallel: { reward: 'parallel-bonus' },
  emphase_parallel_enhance: { reward: 'parallel-bonus', options: { bonus: 2 } },
  emphase_parallel_add_diversity: { reward: 'diverse-bonus' },
};

const first = { answer: 'first-number', wrong: 0 } as const;
const gsm8k: Readonly<Record<string, RewardTerm>> = {
  accuracy_reward: { reward: 'accuracy', options: { answer: 'last-number', wrong: 0 } },
  emphase_acc: { reward: 'accurate-and-formed', options: first },
  emphase_parallel: { reward: 'parallel-bonus', options: first },
  emphase_parallel_add_diversity: { reward: 'diverse-bonus', options: first },
  accuracy_add_parallel_reward: { reward: 'parallel-added', options: { ...first, needsAnswer: true } },
  accuracy_times_special_token_reward: { reward: 'parallel-and-accurate', options: first },
  format_times_accuracy_times_parallel_reward: { reward: 'parallel-and-accurate', options: first },
};

const near = (a: unknown, b: unknown): boolean => Math.abs(Number(a) - Number(b)) <= 1e-6;

export async function rewardRow(id: string, row: Row): Promise<GoldenCase> {
  const text = row['response_with_tags'] as string;
  const truth = row['truth'] as string;
  const sample: RewardInput = {
    prompt: '',
    completion: text,
    reference: truth,
    step: row['step'] as number,
    length: 0,
    limit: 1,
  };
  const bad: string[] = [];
  for (const [name, expected] of Object.entries(row['outputs'] as Row)) {
    const [source, method] = name.split(':') as [string, string];
    const term = (source === 'math' ? math : gsm8k)[method];
    const score = term && (await combineRewards([term])(sample));
    const whole = typeof expected === 'object' ? (expected as Row) : { score: expected };
    if (!near(score, whole['score'])) bad.push(`${name}: expected ${String(whole['score'])}, found ${String(score)}`);
    const answer = answerRules.minerva.find(withoutTags(text));
    const { gain, total, traversed } = efficiency(text);
    const facts: Row = {
      pred: answer ?? noAnswer,
      acc: answerRules.minerva.same(answer, truth),
      eff_gain: gain,
      num_parallel: countBlocks(text),
      total_tokens: total,
      traversed_tokens: traversed,
      ratio: Math.exp(-sample.step / 50),
    };
    for (const [fact, value] of Object.entries(whole))
      if (fact !== 'score' && facts[fact] !== value && !near(facts[fact], value))
        bad.push(`${name} ${fact}: expected ${String(value)}, found ${String(facts[fact])}`);
  }
  return { id, passed: bad.length === 0, detail: bad.join('; ') || 'every reward' };
}

export const normalised = (id: string, row: Row): GoldenCase =>
  same(id, { answer: row['outputs'] }, { answer: normaliseAnswer(row['text'] as string) });

export function diversityRow(id: string, row: Row): GoldenCase {
  const text = row['text'] as string;
  const expected = row['outputs'] as {
    readonly avg_self_bleu: number;
    readonly efficiency: Readonly<Record<string, number>>;
  };
  const { gain, total, traversed } = efficiency(text);
  const found = [selfBleu(text), gain, total, traversed, countBlocks(text)];
  const { eff_gain, total_tokens, traversed_tokens, num_parallel } = expected.efficiency;
  const wanted = [expected.avg_self_bleu, eff_gain, total_tokens, traversed_tokens, num_parallel];
  return {
    id,
    passed: wanted.every((x, i) => near(x, found[i])),
    detail: `expected ${wanted.join(' ')}, found ${found.join(' ')}`,
  };
}
