/** The laws of what judges text: rewards, graders, metrics. */

import type { Grader, Metric, Reward, RewardSample, Verdict } from '../plugin/contributions.js';
import { conform, wordsOf, type Check } from './checks.js';
import { hostileTexts, withHostile } from './hostile.js';

export interface ScoreOptions {
  /** Texts of the kind that it is meant for. */
  readonly samples?: readonly TextSample[];
  /** Milliseconds for one text of any content up to 16,384 characters. */
  readonly budget?: number;
}

export interface TextSample {
  readonly prompt?: string;
  /** What a model wrote. */
  readonly answer: string;
  readonly reference: string;
}

const defaultBudget = 500;
const plain: readonly TextSample[] = [
  { prompt: 'What is 6 times 7?', answer: '42', reference: '42' },
  { prompt: 'What is 6 times 7?', answer: '<think>6 * 7 = 42</think> The answer is $\\boxed{42}$.', reference: '42' },
  { prompt: 'And a half of it?', answer: 'It is \\frac{1}{2}.', reference: '0.5' },
  { prompt: '', answer: '', reference: 'nothing' },
  { prompt: 'Greet.', answer: 'Grüße, 世界 👋', reference: 'Hello, world' },
];

export const conformReward = (reward: Reward, options?: ScoreOptions): void =>
  conform(`reward ${reward.name}`, rewardChecks(reward, options));
export const conformGrader = (grader: Grader, options?: ScoreOptions): void =>
  conform(`grader ${grader.name}`, graderChecks(grader, options));
export const conformMetric = (metric: Metric, options?: ScoreOptions): void =>
  conform(`metric ${metric.name}`, metricChecks(metric, options));

export function rewardChecks(
  reward: Reward,
  { samples = plain, budget = defaultBudget }: ScoreOptions = {},
): readonly Check[] {
  const given = [...samples, ...plain];
  const batch = frozen([...given.map(toSample), ...given.map(sample => ({ ...toSample(sample), reference: null }))]);
  return [
    law('gives one score for each sample', async () => {
      const sizes = [batch.length, 1, 0];
      const found = await Promise.all(
        sizes.map(async size => [size, (await reward.score(batch.slice(0, size))).length] as const),
      );
      return found
        .filter(([size, scores]) => size !== scores)
        .map(([size, scores]) => `expected ${size} scores for ${size} samples, received ${scores}`);
    }),
    law('scores are finite numbers or null', async () => badScores(await reward.score(batch))),
    law('gives the same answer for the same input', async () => {
      const [first, second] = [await reward.score(batch), await reward.score(batch)];
      return first.flatMap((score, index) =>
        Object.is(score, second[index]) ? [] : [`sample ${index}: first ${score}, then ${second[index]}`],
      );
    }),
    law('does bounded work on hostile text', () =>
      withHostile(
        text => reward.score([{ prompt: 'p', completion: text, reference: '42' }]),
        budget,
        scores => [
          ...badScores(scores),
          ...(scores.length === 1 ? [] : [`expected 1 score, received ${scores.length}`]),
        ],
      ),
    ),
  ];
}

const toSample = ({ prompt = '', answer, reference }: TextSample): RewardSample => ({
  prompt,
  completion: answer,
  reference,
});

const badScores = (scores: readonly unknown[]): readonly string[] =>
  scores.flatMap((score, index) =>
    score === null || (typeof score === 'number' && Number.isFinite(score))
      ? []
      : [`sample ${index}: expected a finite number or null, received ${String(score)}`],
  );

export function graderChecks(
  grader: Grader,
  { samples = plain, budget = defaultBudget }: ScoreOptions = {},
): readonly Check[] {
  const given = [...samples, ...plain];
  return [
    law('gives a verdict and a reason, and never throws', async () => {
      const hostile = hostileTexts(64).map(([, text]) => ({ answer: text, reference: text }));
      const found = await Promise.all(
        [...given, ...hostile].map(async ({ answer, reference }) =>
          badVerdict(await grader.grade(answer, reference)).map(words => `${JSON.stringify(answer)}: ${words}`),
        ),
      );
      return found.flat();
    }),
    law('gives the same answer for the same input', async () => {
      const twice = await Promise.all(
        given.map(
          async ({ answer, reference }) =>
            [
              answer,
              JSON.stringify(await grader.grade(answer, reference)),
              JSON.stringify(await grader.grade(answer, reference)),
            ] as const,
        ),
      );
      return twice
        .filter(([, first, second]) => first !== second)
        .map(([answer, first, second]) => `${JSON.stringify(answer)}: first ${first}, then ${second}`);
    }),
    law('does bounded work on a hostile answer', () =>
      withHostile(text => grader.grade(text, '42'), budget, badVerdict),
    ),
    law('does bounded work on a hostile reference', () =>
      withHostile(text => grader.grade('42', text), budget, badVerdict),
    ),
    law('does bounded work where both are hostile', () =>
      withHostile(text => grader.grade(text, `${text} `), budget, badVerdict),
    ),
  ];
}

const verdicts: readonly string[] = [
  'correct',
  'incorrect',
  'unparsed',
  'undecided',
] satisfies readonly Verdict['verdict'][];

function badVerdict(found: Verdict): readonly string[] {
  return [
    ...(verdicts.includes(found.verdict)
      ? []
      : [`expected a verdict of ${verdicts.join(', ')}, received ${String(found.verdict)}`]),
    ...(typeof found.reason === 'string' && found.reason.trim() !== ''
      ? []
      : ['expected a reason in words, received none']),
  ];
}

export function metricChecks(
  metric: Metric,
  { samples = plain, budget = defaultBudget }: ScoreOptions = {},
): readonly Check[] {
  const given = [...samples, ...plain];
  const seen = () => given.map(({ answer, reference }) => metric.observe(answer, frozen([reference])));
  const score = (statistics: readonly unknown[]): number =>
    metric.score(statistics.reduce((sum, one) => metric.add(sum, one)));
  return [
    law('scores are finite', async () =>
      seen().flatMap((one, index) =>
        Number.isFinite(metric.score(one)) ? [] : [`sample ${index}: received ${metric.score(one)}`],
      ),
    ),
    law('gives the same answer for the same input', async () =>
      differs('the second score', score(seen()), score(seen()), 0),
    ),
    law('does not mind the order of its statistics', async () =>
      differs('the reverse order', score(seen()), score(seen().reverse())),
    ),
    law('does not mind how its statistics are grouped', async () => {
      const [half, rest] = [seen().slice(0, 2), seen().slice(2)];
      const sum = (parts: readonly unknown[]): unknown => parts.reduce((left, right) => metric.add(left, right));
      return differs('two halves', score(seen()), metric.score(metric.add(sum(half), sum(rest))));
    }),
    law('adding leaves what was added as it was', async () => {
      const [left, right] = seen() as [unknown, unknown];
      const before = [metric.score(left), metric.score(right)];
      metric.add(left, right);
      return [left, right].flatMap((one, index) =>
        differs(index === 0 ? 'the left' : 'the right', before[index]!, metric.score(one), 0),
      );
    }),
    law('does bounded work on hostile text', () =>
      withHostile(
        text => metric.score(metric.observe(text, [`${text} `])),
        budget,
        found => (Number.isFinite(found) ? [] : [`expected a finite score, received ${found}`]),
      ),
    ),
  ];
}

const differs = (what: string, expected: number, found: number, tolerance = 1e-9): readonly string[] =>
  Object.is(expected, found) || Math.abs(expected - found) <= tolerance * Math.max(1, Math.abs(expected))
    ? []
    : [`${what}: expected ${expected}, received ${found}`];

function law(name: string, find: () => Promise<readonly string[]>): Check {
  return {
    law: name,
    find: async () => {
      try {
        return await find();
      } catch (error) {
        return [`throws: ${wordsOf(error)}`];
      }
    },
  };
}

/** Frozen all the way down, so that writing to the input shows. */
function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) Object.values(Object.freeze(value)).forEach(frozen);
  return value;
}
