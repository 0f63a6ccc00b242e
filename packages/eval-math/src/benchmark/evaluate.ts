/** Completions to verdicts, verdicts to scores. */

import { hashJson } from '@heddle/core/files';
import { grade, gradeAnswer, type GradeOptions, type MathVerdict } from '../grade.js';
import { version } from '../version.js';
import type { SamplingParameters } from './generate.js';
import { bootstrapAt, majorityAt, meanAt, parallelRatio, passAt, sizesUpTo, type Samples } from './metrics.js';
import type { Problem } from './problems.js';
import type { PromptTemplate } from './prompts.js';
import { interval, type Interval } from './statistics.js';

export interface JudgedCompletion {
  readonly sample: number;
  readonly text: string;
  readonly finish: string | null;
  readonly verdict: MathVerdict;
  /** What votes are counted by: one text for all equal answers to this problem. */
  readonly vote: string | null;
}

export interface EvaluatedProblem extends Problem {
  readonly completions: readonly JudgedCompletion[];
}

export interface Estimate extends Interval {
  readonly value: number;
}

export interface Scores {
  readonly problems: number;
  /** Samples for each problem; the smallest number where they differ. */
  readonly samples: number;
  readonly mean: Estimate;
  /** Unbiased, and the best of k by bootstrap with replacement as verl and Parallel-R1 give it. */
  readonly pass: readonly (Estimate & { readonly k: number; readonly bootstrap: number })[];
  readonly majority: Estimate;
  readonly parallelRatio: number;
  /** Shares of all completions. */
  readonly unparsed: number;
  readonly undecided: number;
  readonly truncated: number;
  /** Mean scores by subject, level and so on. */
  readonly groups: readonly {
    readonly name: string;
    readonly value: string;
    readonly problems: number;
    readonly mean: number;
  }[];
}

export interface Evaluation {
  readonly name: string;
  readonly signature: string;
  readonly scores: Scores;
  readonly problems: readonly EvaluatedProblem[];
}

export interface EvaluateOptions {
  readonly grade?: GradeOptions;
  /** Draws of each interval. */
  readonly draws?: number;
  /** Called after each problem. */
  readonly progress?: (done: number, all: number) => void;
}

/** Votes of one problem: equal normal forms are one, and so are answers that the grader finds equal. */
function votesOf(verdicts: readonly MathVerdict[], options: GradeOptions): readonly (string | null)[] {
  const groups: { readonly key: string; readonly text: string }[] = [];
  const known = new Map<string, string>();
  return verdicts.map(({ canonical, answer }) => {
    if (canonical === null) return null;
    const before = known.get(canonical);
    if (before !== undefined) return before;
    const same =
      groups.length < 32
        ? groups.find(group => gradeAnswer(group.text, answer.text, options).verdict === 'correct')
        : undefined;
    const key = same?.key ?? canonical;
    if (!same) groups.push({ key, text: answer.text });
    known.set(canonical, key);
    return key;
  });
}

export interface RawCompletion {
  readonly id: string;
  readonly sample: number;
  readonly text: string;
  readonly finish?: string | null;
}

/** Grades completions by problem; problems without any are kept and count nothing. */
export function evaluateCompletions(
  name: string,
  problems: readonly Problem[],
  completions: readonly RawCompletion[],
  signature: string,
  { grade: options = {}, draws = 1000, progress }: EvaluateOptions = {},
): Evaluation {
  const byProblem = new Map<string, RawCompletion[]>();
  for (const completion of completions) {
    const list = byProblem.get(completion.id);
    if (list) list.push(completion);
    else byProblem.set(completion.id, [completion]);
  }
  const evaluated = problems.map((problem, at): EvaluatedProblem => {
    const own = (byProblem.get(problem.id) ?? []).toSorted((a, b) => a.sample - b.sample);
    const verdicts = own.map(({ text }) => grade(problem.gold, text, options));
    const votes = votesOf(verdicts, options);
    progress?.(at + 1, problems.length);
    return {
      ...problem,
      completions: own.map(({ sample, text, finish = null }, i) => ({
        sample,
        text,
        finish,
        verdict: verdicts[i]!,
        vote: votes[i]!,
      })),
    };
  });
  return { name, signature, scores: scoresOf(evaluated, draws), problems: evaluated };
}

const samplesOf = (problem: EvaluatedProblem): Samples =>
  problem.completions.map(({ verdict, vote }) => ({ score: verdict.verdict === 'correct' ? 1 : 0, vote }));

export function scoresOf(problems: readonly EvaluatedProblem[], draws = 1000): Scores {
  const answered = problems.filter(({ completions }) => completions.length > 0);
  const judged = answered.map(samplesOf);
  const samples = judged.length === 0 ? 0 : Math.min(...judged.map(({ length }) => length));
  const estimate = (score: (drawn: readonly Samples[]) => number): Estimate => ({
    value: score(judged),
    ...interval(judged, score, { draws }),
  });
  const all = answered.flatMap(({ completions }) => completions);
  const share = (test: (one: JudgedCompletion) => boolean): number =>
    all.length === 0 ? 0 : all.filter(test).length / all.length;
  const groups = new Map<string, EvaluatedProblem[]>();
  for (const problem of answered)
    for (const [name, value] of Object.entries(problem.groups)) {
      const key = `${name}\u0000${value}`;
      const list = groups.get(key);
      if (list) list.push(problem);
      else groups.set(key, [problem]);
    }
  return {
    problems: answered.length,
    samples,
    mean: estimate(meanAt),
    pass: sizesUpTo(samples).map(k => ({
      k,
      ...estimate(drawn => passAt(drawn, k)),
      bootstrap: bootstrapAt(judged, k).best,
    })),
    majority: estimate(majorityAt),
    parallelRatio: parallelRatio(all.map(({ text }) => text)),
    unparsed: share(({ verdict }) => verdict.verdict === 'unparsed'),
    undecided: share(({ verdict }) => verdict.verdict === 'undecided'),
    truncated: share(({ finish }) => finish === 'length'),
    groups: [...groups]
      .map(([key, list]) => ({
        name: key.split('\u0000')[0]!,
        value: key.split('\u0000')[1]!,
        problems: list.length,
        mean: meanAt(list.map(samplesOf)),
      }))
      .filter(({ problems: count }) => count > 1)
      .toSorted((a, b) => (a.name === b.name ? (a.value < b.value ? -1 : 1) : a.name < b.name ? -1 : 1))
      .slice(0, 100),
  };
}

export interface SignatureParts {
  readonly benchmark: string;
  readonly problems: readonly Problem[];
  readonly samples: number;
  readonly model: string;
  /** null where completions came from a file: what made them is not known here. */
  readonly prompt: PromptTemplate | null;
  readonly parameters: SamplingParameters | null;
  readonly grade: GradeOptions;
}

/**
 * One line that says all that a score depends on, as sacreBLEU does: two scores compare where their lines agree but for
 * the model.
 */
export function signatureOf({
  benchmark,
  problems,
  samples,
  model,
  prompt,
  parameters,
  grade: options,
}: SignatureParts): string {
  const short = (value: unknown): string => hashJson(value).slice(0, 8);
  const compare = options.compare ?? {};
  const plain = (text: string): string => text.replace(/[|\s]+/g, '_');
  return [
    `bench:${plain(benchmark)}`,
    `n:${problems.length}`,
    `data:${short(problems.map(({ id, problem, gold }) => [id, problem, gold]))}`,
    `k:${samples}`,
    `prompt:${prompt === null ? 'unknown' : `${prompt.name}-${short([prompt.system, prompt.user])}`}`,
    ...(parameters === null
      ? ['sampling:unknown']
      : [
          `temp:${parameters.temperature}`,
          `top_p:${parameters.topP}`,
          `max:${parameters.maxTokens}`,
          `seed:${parameters.seed}`,
        ]),
    `grade:${compare.strictness ?? 'strict'}.${compare.lists ?? 'unordered'}.${compare.places ?? 6}`,
    `model:${plain(model)}`,
    `heddle-eval-math:${version}`,
  ].join('|');
}
