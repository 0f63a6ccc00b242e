/** What k samples for each of n problems say. All take and give shares from 0 to 1. */

import { indices, mersenne } from './mersenne.js';

/** One judged sample. */
export interface Judged {
  /** 1 for right, 0 for anything else. */
  readonly score: number;
  /** What votes are counted by: equal for equal answers; null where there is none. */
  readonly vote: string | null;
}

/** One problem's samples. */
export type Samples = readonly Judged[];

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
const average = (problems: readonly Samples[], of: (samples: Samples) => number): number =>
  mean(problems.filter(samples => samples.length > 0).map(of));

/** The mean over problems of the mean over their samples: mean@k. */
export const meanAt = (problems: readonly Samples[]): number =>
  average(problems, samples => mean(samples.map(({ score }) => score)));

/**
 * The chance that k of n samples, drawn without replacement, hold one of the c right ones: 1 - C(n-c, k) / C(n, k)
 * (Chen et al. 2021, the unbiased estimator).
 */
export function passOf(n: number, c: number, k: number): number {
  if (k > n) return Number.NaN;
  if (n - c < k) return 1;
  let miss = 1;
  for (let i = n - c + 1; i <= n; i++) miss *= 1 - k / i;
  return 1 - miss;
}

/** pass@k, unbiased; problems with fewer samples than k are left out. */
export const passAt = (problems: readonly Samples[], k: number): number =>
  average(
    problems.filter(samples => samples.length >= k),
    samples => passOf(samples.length, samples.filter(({ score }) => score >= 1).length, k),
  );

/** What the bootstrap with replacement converges to: 1 - (1 - c/n)^k, below pass@k for hard problems. */
export const passWithReplacement = (n: number, c: number, k: number): number => 1 - (1 - c / n) ** k;

export interface Bootstrap {
  /** Mean of the best of k samples: what papers after verl call pass@k. */
  readonly best: number;
  readonly worst: number;
  /** Mean score of the most frequent answer. */
  readonly majority: number;
}

/**
 * best@k, worst@k and maj@k as verl's `process_validation_metrics` draws them: 1000 draws of k samples with replacement,
 * the generator set to 42 anew for every problem, so that all problems share the same draws. Numbers equal those of
 * NumPy 1.24.
 */
export function bootstrapAt(problems: readonly Samples[], k: number, draws = 1000, seed = 42): Bootstrap {
  const sums = { best: 0, worst: 0, majority: 0 };
  const used = problems.filter(samples => samples.length > 0);
  for (const samples of used) {
    const next = indices(mersenne(seed), samples.length);
    for (let draw = 0; draw < draws; draw++) {
      let [best, worst] = [-Infinity, Infinity];
      const votes = new Map<string | null, { count: number; score: number }>();
      for (let i = 0; i < k; i++) {
        const { score, vote } = samples[next()]!;
        best = Math.max(best, score);
        worst = Math.min(worst, score);
        const group = votes.get(vote);
        if (group) group.count++;
        else votes.set(vote, { count: 1, score });
      }
      let first = { count: 0, score: 0 };
      for (const group of votes.values()) if (group.count > first.count) first = group;
      sums.best += best / draws;
      sums.worst += worst / draws;
      sums.majority += first.score / draws;
    }
  }
  const count = Math.max(1, used.length);
  return { best: sums.best / count, worst: sums.worst / count, majority: sums.majority / count };
}

/**
 * The score of the most frequent answer among all samples of a problem. Ties share: two answers with as many votes count
 * half each. Samples without an answer do not vote.
 */
export function majorityOf(samples: Samples): number {
  const votes = new Map<string, { count: number; score: number }>();
  for (const { score, vote } of samples) {
    if (vote === null) continue;
    const group = votes.get(vote);
    if (group) {
      group.count++;
      group.score = Math.max(group.score, score);
    } else votes.set(vote, { count: 1, score });
  }
  const most = Math.max(0, ...[...votes.values()].map(({ count }) => count));
  const first = [...votes.values()].filter(({ count }) => count === most);
  return mean(first.map(({ score }) => score));
}

/** maj@k over all k samples. */
export const majorityAt = (problems: readonly Samples[]): number => average(problems, majorityOf);

/** The share of completions that open a parallel block (Parallel-R1). */
export const parallelRatio = (completions: readonly string[]): number =>
  mean(completions.map(text => (text.includes('<Parallel>') ? 1 : 0)));

/** 1, 2, 4 … and n: at which k scores are given. */
export function sizesUpTo(n: number): readonly number[] {
  const sizes: number[] = [];
  for (let k = 1; k < n; k *= 2) sizes.push(k);
  return n > 0 ? [...sizes, n] : sizes;
}
