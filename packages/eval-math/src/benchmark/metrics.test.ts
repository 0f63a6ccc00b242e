/** Scores against formulas, against exact values, and against the figures of the code that papers used. */

import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  bootstrapAt,
  majorityOf,
  meanAt,
  parallelRatio,
  passAt,
  passOf,
  passWithReplacement,
  sizesUpTo,
  type Samples,
} from './metrics.js';
import { mersenne } from './mersenne.js';
import { interval, pairedTest } from './statistics.js';

const golden = new URL('../../../../../shared/golden/parallel-r1/', import.meta.url);
const here = existsSync(golden);
const read = (name: string): unknown => JSON.parse(readFileSync(new URL(name, golden), 'utf8'));
const samples = (...scores: readonly number[]): Samples =>
  scores.map((score, i) => ({ score, vote: score === 1 ? 'right' : `wrong ${i}` }));

describe('pass@k', () => {
  it('is the chance that a subset of k holds a right one', () => {
    for (const [n, c] of [
      [5, 0],
      [5, 1],
      [6, 3],
      [7, 7],
    ] as const)
      for (let k = 1; k <= n; k++) {
        // Every subset of k, counted one by one.
        let [all, hit] = [0, 0];
        for (let bits = 0; bits < 2 ** n; bits++) {
          const chosen = Array.from({ length: n }, (_, i) => i).filter(i => (bits >> i) & 1);
          if (chosen.length !== k) continue;
          all++;
          if (chosen.some(i => i < c)) hit++;
        }
        expect(passOf(n, c, k)).toBeCloseTo(hit / all, 12);
      }
  });

  it.skipIf(!here)(`agrees with exact values${here ? '' : ' (../shared/golden/parallel-r1 is not here)'}`, () => {
    const { outputs } = read('pr1_pass_at_k_exact.json') as {
      outputs: readonly {
        n: number;
        c: number;
        k: number;
        outputs: { pass_at_k: number; bootstrap_expectation: number };
      }[];
    };
    expect(outputs.length).toBeGreaterThan(0);
    for (const { n, c, k, outputs: expected } of outputs) {
      expect(passOf(n, c, k)).toBeCloseTo(expected.pass_at_k, 12);
      expect(passWithReplacement(n, c, k)).toBeCloseTo(expected.bootstrap_expectation, 12);
    }
  });

  it('is mean@k for one', () => {
    const problems = [samples(1, 0, 0), samples(1, 1, 0), samples(0, 0, 0)];
    expect(passAt(problems, 1)).toBeCloseTo(meanAt(problems), 12);
    expect(passAt(problems, 3)).toBeCloseTo(2 / 3, 12);
  });
});

describe('bootstrap', () => {
  it('draws as NumPy does', () => {
    const draw = mersenne(42);
    expect([draw(), draw(), draw()]).toEqual([1608637542, 3421126067, 4083286876]);
  });

  it.skipIf(!here)(`agrees with verl${here ? '' : ' (../shared/golden/parallel-r1 is not here)'}`, () => {
    const { outputs } = read('pr1_bootstrap_metrics.json') as {
      outputs: readonly {
        acc: readonly (readonly number[])[];
        pred: readonly (readonly string[])[];
        outputs: Readonly<Record<string, number>>;
      }[];
    };
    expect(outputs.length).toBeGreaterThan(0);
    let compared = 0;
    for (const { acc, pred, outputs: expected } of outputs) {
      const problems = acc.map((scores, i) => scores.map((score, j) => ({ score, vote: pred[i]![j]! })));
      for (const [name, value] of Object.entries(expected)) {
        const found = /^(mean|best|worst|maj)@(\d+)(?:\/mean)?$/.exec(name);
        if (!found) continue;
        const k = Number(found[2]);
        const mine =
          found[1] === 'mean'
            ? meanAt(problems)
            : bootstrapAt(problems, k)[found[1] === 'maj' ? 'majority' : (found[1] as 'best' | 'worst')];
        expect(mine, name).toBeCloseTo(value, 9);
        compared++;
      }
    }
    expect(compared).toBeGreaterThan(20);
  });
});

describe('maj@k', () => {
  it('counts votes, and shares ties', () => {
    const vote = (...votes: readonly (string | null)[]): Samples =>
      votes.map(one => ({ score: one === 'a' ? 1 : 0, vote: one }));
    expect(majorityOf(vote('a', 'b', 'a'))).toBe(1);
    expect(majorityOf(vote('b', 'b', 'a'))).toBe(0);
    expect(majorityOf(vote('b', 'a'))).toBe(0.5);
    expect(majorityOf(vote(null, null, 'a'))).toBe(1);
    expect(majorityOf(vote(null))).toBe(0);
  });
});

describe('intervals and tests', () => {
  it('hold the score, and become narrower with more problems', () => {
    const problems = (n: number): Samples[] => Array.from({ length: n }, (_, i) => samples(i % 2, (i >> 1) % 2));
    const [few, many] = [interval(problems(20), meanAt), interval(problems(400), meanAt)];
    for (const { low, high } of [few, many]) {
      expect(low).toBeLessThanOrEqual(0.5);
      expect(high).toBeGreaterThanOrEqual(0.5);
    }
    expect(many.high - many.low).toBeLessThan((few.high - few.low) / 2);
    expect(interval(problems(20), meanAt)).toEqual(few);
  });

  it('cover the truth about as often as they say', () => {
    // 200 sets of 40 problems that are solved with chance 0.3.
    let covered = 0;
    const draw = mersenne(9);
    for (let set = 0; set < 200; set++) {
      const problems = Array.from({ length: 40 }, () => samples(draw() / 2 ** 32 < 0.3 ? 1 : 0));
      const { low, high } = interval(problems, meanAt, { draws: 300, seed: set });
      if (low <= 0.3 && high >= 0.3) covered++;
    }
    expect(covered / 200).toBeGreaterThan(0.88);
    expect(covered / 200).toBeLessThanOrEqual(1);
  });

  it('find a difference where there is one', () => {
    const scores = (shift: number): Map<string, number> =>
      new Map(
        Array.from({ length: 100 }, (_, i) => [`p${i}`, Math.min(1, (i % 3) / 2 + shift * (i % 4 === 0 ? 1 : 0))]),
      );
    expect(pairedTest(scores(0), scores(0))).toMatchObject({ problems: 100, difference: 0, p: 1 });
    const found = pairedTest(scores(0), scores(0.5));
    expect(found.difference).toBeGreaterThan(0);
    expect(found.p).toBeLessThan(0.001);
    expect(found.interval.low).toBeGreaterThan(0);
  });
});

describe('small things', () => {
  it('sizes', () => {
    expect(sizesUpTo(16)).toEqual([1, 2, 4, 8, 16]);
    expect(sizesUpTo(5)).toEqual([1, 2, 4, 5]);
    expect(sizesUpTo(1)).toEqual([1]);
  });
  it('parallel ratio', () => expect(parallelRatio(['a <Parallel> b', 'a', 'b', '<parallel>'])).toBe(0.25));
});
