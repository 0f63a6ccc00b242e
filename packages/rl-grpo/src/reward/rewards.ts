/** Rewards as data: named functions of what a text did, and sums of them. */

import { fail } from '@heddle/core';
import { isWellFormed } from '../grammar/format.js';
import { countBlocks, withoutTags } from '../grammar/tags.js';
import { answerRules, type AnswerRuleName } from './answer.js';
import { efficiency, selfBleu } from './diversity.js';
import { cosineScaled, repetition, softOverlong, hasThinkSection } from './shaping.js';

/** One answer to be judged. */
export interface RewardInput {
  readonly prompt: string;
  /** With its tags. */
  readonly completion: string;
  /** The right answer; null where nobody knows it. */
  readonly reference: string | null;
  /** Of training, from 1. */
  readonly step: number;
  /** Tokens of the completion, and the most there may be. */
  readonly length: number;
  readonly limit: number;
}

/** A reward is one function. null leaves the sample out of the loss. */
export type RewardFunction = (sample: RewardInput, signal?: AbortSignal) => number | null | Promise<number | null>;

/** What decides whether an answer is right; null where it cannot be decided. */
export type Judge = (sample: RewardInput, signal?: AbortSignal) => boolean | null | Promise<boolean | null>;

export interface OutcomeOptions {
  /** How answers are found and compared. Default `minerva`. */
  readonly answer?: AnswerRuleName;
  /** Takes the place of `answer`. */
  readonly judge?: Judge;
  /** What a wrong answer gets. Default -1. */
  readonly wrong?: number;
}

/** What is known of a sample. Costly facts are functions. */
interface Facts {
  readonly correct: boolean;
  /** What a right answer gets, or a wrong one. */
  readonly accuracy: number;
  readonly wrong: number;
  readonly answered: boolean;
  readonly blocks: number;
  readonly wellFormed: boolean;
  readonly sample: RewardInput;
}

type Outcome<O> = (facts: Facts, options: O) => number;

/** A reward of a right or wrong answer. No reference, and no verdict, leave the sample out. */
const outcome =
  <O extends object>(of: Outcome<O>) =>
  ({ answer = 'minerva', judge, wrong = -1, ...options }: OutcomeOptions & Partial<O>, defaults: O): RewardFunction =>
  async (sample, signal) => {
    const rule = answerRules[answer];
    const found = rule.find(withoutTags(sample.completion));
    const correct = judge
      ? await judge(sample, signal)
      : sample.reference === null
        ? null
        : rule.same(found, sample.reference);
    if (correct === null) return null;
    const blocks = countBlocks(sample.completion);
    return of(
      {
        correct,
        accuracy: correct ? 1 : wrong,
        wrong,
        answered: judge !== undefined || found !== null,
        blocks,
        wellFormed: isWellFormed(sample.completion),
        sample,
      },
      { ...defaults, ...(options as Partial<O>) },
    );
  };

const uses = ({ blocks, wellFormed }: Facts): boolean => blocks > 0 && wellFormed;

/** 1 for a right answer without a block, `bonus` for one with well-formed blocks, else as a wrong answer. */
const tier = (facts: Facts, bonus: number): number => {
  if (!facts.correct) return facts.wrong;
  if (facts.blocks === 0) return 1;
  return facts.wellFormed ? bonus : facts.wrong;
};

/** The place in a window, from 0 also for steps below 1. */
const placeIn = (step: number, window: number): number => (((step - 1) % window) + window) % window;

type Options = Readonly<Record<string, unknown>>;
type Factory<O extends object = object> = {
  readonly defaults: O;
  make(options: OutcomeOptions & Partial<O>): RewardFunction;
};

const define = <O extends object>(defaults: O, of: Outcome<O>): Factory<O> => ({
  defaults,
  make: options => outcome(of)(options, defaults),
});
/** A reward of form alone: it needs no reference. */
const form = <O extends object>(defaults: O, of: (sample: RewardInput, options: O) => number): Factory<O> => ({
  defaults,
  make: options => sample => of(sample, { ...defaults, ...options }),
});

/** Every reward by name, with the options that it takes beside those of `OutcomeOptions`. */
export const rewards = {
  /** S1. */
  accuracy: define({}, ({ accuracy }) => accuracy),
  /** S2: accuracy for a share of every window of training steps, `parallel-bonus` for the rest. */
  alternating: define({ window: 10, share: 0.8, bonus: 1.2 }, (facts, { window, share, bonus }) =>
    placeIn(facts.sample.step, window) < Math.round(window * share) ? facts.accuracy : tier(facts, bonus),
  ),
  /** 1 for a right answer without blocks, `bonus` with well-formed ones; malformed ones make it wrong. */
  'parallel-bonus': define({ bonus: 1.2 }, (facts, { bonus }) => tier(facts, bonus)),
  /** The same, the bonus less the more the paths say alike. */
  'diverse-bonus': define({ bonus: 1.2, penalty: 0.2 }, (facts, { bonus, penalty }) =>
    facts.correct && uses(facts) ? bonus - penalty * selfBleu(facts.sample.completion) : tier(facts, bonus),
  ),
  /** Right and well-formed blocks, both. */
  'parallel-and-accurate': define({}, facts => (facts.correct && uses(facts) ? 1 : facts.wrong)),
  /** `amount` for well-formed blocks, right or wrong. */
  'parallel-added': define({ amount: 0.5, needsAnswer: false }, (facts, { amount, needsAnswer }) =>
    needsAnswer && !facts.answered ? facts.wrong : facts.accuracy + (uses(facts) ? amount : 0),
  ),
  /** A right answer whose blocks, if any, are well formed. */
  'accurate-and-formed': define({}, facts =>
    facts.correct && (facts.blocks === 0 || facts.wellFormed) ? 1 : facts.wrong,
  ),
  /** The root of the number of blocks is added. */
  'block-count': define({}, facts => facts.accuracy + Math.sqrt(facts.blocks)),
  /** The share of words saved by reading paths side by side, weighted; fading with steps where `decay` says. */
  efficiency: define({ right: 0.4, other: 0.1, decay: null as number | null }, (facts, { right, other, decay }) => {
    const fade = decay === null ? 1 : Math.exp(-facts.sample.step / decay);
    return facts.accuracy + (facts.correct ? right : other) * fade * efficiency(facts.sample.completion).gain;
  }),
  /** Less the more paths say alike; `amount` for opening a block, well formed or not. */
  diversity: define(
    { penalty: 0.3, amount: 0 },
    (facts, { penalty, amount }) =>
      facts.accuracy + (facts.blocks > 0 ? amount : 0) - penalty * selfBleu(facts.sample.completion),
  ),
  /** Half a cosine over the length: short right answers and long wrong ones fare better. */
  cosine: define({}, ({ correct, sample }) => cosineScaled(correct, sample.length, sample.limit)),
  format: form({ right: 1, wrong: 0 }, ({ completion }, { right, wrong }) =>
    isWellFormed(completion) ? right : wrong,
  ),
  'think-format': form({ right: 1, wrong: 0 }, ({ completion }, { right, wrong }) =>
    hasThinkSection(completion) ? right : wrong,
  ),
  /** From 0 to -1 over the last `margin` tokens before the limit. */
  'soft-overlong': form({ margin: 64 }, ({ length, limit }, { margin }) => softOverlong(length, limit, margin)),
  /** `most` for nothing but repeated runs of `n` words. */
  repetition: form({ n: 4, most: -1 }, ({ completion }, { n, most }) => most * repetition(completion.split(/\s+/), n)),
} as const satisfies Readonly<Record<string, unknown>>;

export type RewardName = keyof typeof rewards;

/** One part of a sum, by name or as a function. */
export interface RewardTerm {
  readonly reward: RewardName | RewardFunction;
  /** Default 1. */
  readonly weight?: number;
  readonly options?: Options & OutcomeOptions;
}

/**
 * The weighted sum of rewards; null as soon as one of them is null.
 *
 * @throws E_CONFIG for an unknown name or option, or a weight that is no finite number
 */
export function combineRewards(terms: readonly RewardTerm[]): RewardFunction {
  const parts = terms.map(({ reward, weight = 1, options = {} }) => {
    if (!Number.isFinite(weight)) refuse('weight', 'a finite number', weight);
    return { weight, of: typeof reward === 'function' ? reward : named(reward, options) };
  });
  if (parts.length === 0) refuse('terms', 'at least one reward', terms);
  return async (sample, signal) => {
    const scores = await Promise.all(parts.map(async ({ of }) => of(sample, signal)));
    return scores.reduce<number | null>(
      (sum, x, i) => (sum === null || x === null ? null : sum + parts[i]!.weight * x),
      0,
    );
  };
}

function named(name: RewardName, options: Options): RewardFunction {
  if (!Object.hasOwn(rewards, name)) refuse('reward', `one of ${Object.keys(rewards).join(', ')}`, name);
  const { defaults, make } = rewards[name] as unknown as Factory;
  const known = [...Object.keys(defaults), 'answer', 'judge', 'wrong'];
  for (const option of Object.keys(options))
    if (!known.includes(option)) refuse(`options of ${name}`, `some of ${known.join(', ')}`, option);
  const { answer } = options;
  if (answer !== undefined && !Object.hasOwn(answerRules, answer as string))
    refuse(`${name}: answer`, `one of ${Object.keys(answerRules).join(', ')}`, answer);
  return make(options);
}

const refuse = (name: string, expected: string, received: unknown): never =>
  fail(
    'E_CONFIG',
    `reward: ${name}: expected ${expected}, received ${JSON.stringify(received) ?? String(received)}. Correct the option.`,
    { name, received },
  );
