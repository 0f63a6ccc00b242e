/** What a model can do: answers to problems that it did not learn from, with how sure the figures are. */

import { answerRules } from '../reward/answer.js';
import { selfBleu } from '../reward/diversity.js';
import { isWellFormed } from '../grammar/format.js';
import { withoutTags } from '../grammar/tags.js';
import type { Trajectory } from '../rollout/parallel.js';
import type { PathSession } from '../rollout/session.js';
import { checkTrajectories, type RolloutStrategy } from '../rollout/strategy.js';
import { firstBlockOf, mean } from '../train/metrics.js';
import type { PoolProblem } from './pool.js';

/** Of one answer, what a reader wants to see. */
export interface Sample {
  readonly problem: string;
  readonly answer: string;
  readonly completion: string;
  readonly right: boolean;
}

export interface Measured {
  /** Name of the problems. */
  readonly problems: string;
  /** Of the strategy. */
  readonly strategy: string;
  readonly count: number;
  readonly samples: number;
  /** Share of right answers, and the ends of its 95 % interval over problems. */
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Share of answers with a block; of those with one, where it opens, as a share of the answer. */
  readonly parallelRatio: number;
  readonly firstBlock: number | null;
  /** Accuracy of answers with and without blocks; null where there are none. */
  readonly withBlocks: number | null;
  readonly withoutBlocks: number | null;
  readonly wellFormed: number;
  /** Tokens, on average. */
  readonly length: number;
  /** Paths that were closed by force, for each answer. */
  readonly forcedCloses: number;
  /** How alike paths are, from 0 to 1, over answers with a block. */
  readonly pathsAlike: number | null;
  readonly examples: readonly Sample[];
}

export interface MeasureCall {
  readonly problems: string;
  readonly problem: (index: number) => PoolProblem;
  readonly count: number;
  readonly samples: number;
  readonly session: PathSession;
  readonly strategy: RolloutStrategy;
  readonly promptOf: (problem: PoolProblem) => readonly number[];
  readonly decode: (ids: readonly number[]) => string;
  readonly seed: number;
  readonly signal: AbortSignal;
  /** Examples that are kept: right and wrong ones in turn, as far as there are. Default 6. */
  readonly examples?: number;
}

/** Answers are sampled at temperature 1, as the paper measures. */
export async function measure(call: MeasureCall): Promise<Measured> {
  const { session, strategy, count, samples, decode, seed, signal } = call;
  const asked = Array.from({ length: count }, (_, i) => call.problem(i)).flatMap(problem =>
    Array.from({ length: samples }, () => problem),
  );
  const answers: Trajectory[] = [];
  for (let at = 0; at < asked.length; at += session.slots) {
    signal.throwIfAborted();
    const prompts = asked.slice(at, at + session.slots).map(call.promptOf);
    const one = { session, prompts, first: at, seed, temperature: 1, version: 0, signal };
    const found = await strategy.rollout(one);
    checkTrajectories(strategy.name, found, one);
    answers.push(...found);
  }
  const { find, same } = answerRules.minerva;
  const judged = answers.map((answer, i) => {
    const completion = decode(answer.ids.slice(answer.promptLength));
    const right = same(find(withoutTags(completion)), asked[i]!.answer);
    return { answer, completion, right, place: firstBlockOf(answer) };
  });
  const shareRight = (of: typeof judged): number | null => mean(of.map(({ right }) => Number(right)));
  const blocks = judged.filter(({ place }) => place !== null);
  const accuracy = shareRight(judged)!;
  const perProblem = Array.from({ length: count }, (_, i) => shareRight(judged.slice(i * samples, (i + 1) * samples))!);
  const [low, high] = intervalOf(perProblem, samples);
  const examples = exampleOrder(judged.map(({ right }) => right)).slice(0, call.examples ?? 6);
  return {
    problems: call.problems,
    strategy: strategy.name,
    count,
    samples,
    accuracy,
    low,
    high,
    parallelRatio: blocks.length / judged.length,
    firstBlock: mean(blocks.map(({ place }) => place!)),
    withBlocks: shareRight(blocks),
    withoutBlocks: shareRight(judged.filter(({ place }) => place === null)),
    wellFormed: mean(judged.map(({ completion }) => Number(isWellFormed(completion))))!,
    length: mean(answers.map(({ ids, promptLength }) => ids.length - promptLength))!,
    forcedCloses: mean(answers.map(({ forcedCloses }) => forcedCloses))!,
    pathsAlike: mean(blocks.map(({ completion }) => selfBleu(completion))),
    examples: examples.map(i => {
      const { completion, right } = judged[i]!;
      return { problem: asked[i]!.problem, answer: asked[i]!.answer, completion, right };
    }),
  };
}

/**
 * The ends of a 95 % interval (Wilson's, which holds near 0 and 1 too). Several answers to one problem are not independent:
 * they count as many as the spread over problems says, from one each to all of them.
 */
export function intervalOf(perProblem: readonly number[], samples: number): readonly [number, number] {
  const problems = perProblem.length;
  const p = mean(perProblem)!;
  const spread = perProblem.reduce((sum, x) => sum + (x - p) ** 2, 0) / Math.max(1, problems - 1) / problems;
  const n = Math.min(problems * samples, Math.max(problems, spread > 0 ? (p * (1 - p)) / spread : 0));
  const z = 1.96;
  const middle = (p + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((p * (1 - p)) / n + (z * z) / (4 * n * n));
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** Right and wrong in turn, in their order. */
function exampleOrder(right: readonly boolean[]): readonly number[] {
  const sides = [true, false].map(side => right.flatMap((own, i) => (own === side ? [i] : [])));
  const longest = Math.max(...sides.map(({ length }) => length));
  return Array.from({ length: longest }, (_, i) => sides.flatMap(side => side.slice(i, i + 1))).flat();
}
