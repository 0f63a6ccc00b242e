import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkFormat } from '../grammar/format.js';
import { combineRewards } from '../reward/rewards.js';
import { generateProblem, hardestLevel, parallelTrace, sequentialTrace } from './generate.js';
import { readProblems } from './read.js';

/** A calculator of its own: brackets, then products, then sums from the left. */
function calculate(expression: string): number {
  const inner = /\(([^()]*)\)/.exec(expression);
  if (inner) return calculate(expression.replace(inner[0], String(calculate(inner[1]!))));
  return expression
    .replaceAll(' ', '')
    .split(/(?=[+-])/)
    .map(term => {
      const [first, ...rest] = term.replace('+', '').split('*').map(Number);
      return rest.reduce((a, b) => a * b, first!);
    })
    .reduce((a, b) => a + b);
}

const any = fc.record({ seed: fc.nat(1e6), index: fc.nat(1e6), level: fc.integer({ min: 1, max: hardestLevel }) });
const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isHeddleError(error)) return error.code;
  }
  return 'none';
};

describe('generated problems', () => {
  it('have exact answers, and every line of every way is true', () => {
    fc.assert(
      fc.property(any, ({ seed, index, level }) => {
        const { answer, expression, ways } = generateProblem(seed, index, level);
        expect(Number(answer)).toBe(calculate(expression));
        expect(new Set(ways).size).toBeGreaterThan(1);
        for (const way of ways) {
          const equations = way.split('\n').map(line => line.split(' = ') as [string, string]);
          for (const [left, right] of equations) expect(calculate(left)).toBe(Number(right));
          expect(equations.at(-1)![1]).toBe(answer);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('are the same for the same seed, index and level, and others for others', () => {
    const make = (seed: number, level: number): readonly string[] =>
      Array.from({ length: 50 }, (_, i) => generateProblem(seed, i, level).problem);
    expect(make(1, 3)).toEqual(make(1, 3));
    expect(make(1, 3)).not.toEqual(make(2, 3));
    expect(new Set(make(1, 3)).size).toBeGreaterThan(40);
  });

  it('grow with the level', () => {
    const size = (level: number): number =>
      Array.from({ length: 200 }, (_, i) => Number(generateProblem(7, i, level).answer)).reduce((a, b) => a + b) / 200;
    const sizes = Array.from({ length: hardestLevel }, (_, i) => size(i + 1));
    expect(sizes).toEqual(sizes.toSorted((a, b) => a - b));
    expect(codeOf(() => generateProblem(1, 0, 0))).toBe('E_CONFIG');
    expect(codeOf(() => generateProblem(1, -1, 1))).toBe('E_CONFIG');
  });

  it('make traces that are well formed and right', async () => {
    const reward = combineRewards([{ reward: 'parallel-bonus' }]);
    for (let index = 0; index < 50; index++) {
      const problem = generateProblem(3, index, 1 + (index % hardestLevel));
      const sample = { prompt: '', reference: problem.answer, step: 1, length: 1, limit: 1 };
      expect(checkFormat(parallelTrace(problem))).toEqual([]);
      expect(await reward({ ...sample, completion: parallelTrace(problem) })).toBe(1.2);
      expect(await reward({ ...sample, completion: sequentialTrace(problem, index) })).toBe(1);
    }
  });
});

describe('readProblems', () => {
  it('reads the layouts of GSM8K, MATH and DAPO', () => {
    const rows = [
      { question: 'q1', answer: 'so <<1+1=2>>\n#### 1,234' },
      { id: 'm', problem: 'q2', solution: String.raw`first \boxed{0}, then \boxed{\frac{1}{2}}.` },
      { prompt: [{ role: 'user', content: 'q3' }], reward_model: { ground_truth: '34', style: 'rule' } },
      { problem: 'q4', answer: 7 },
      { problem: 'q5', solution: 'nothing boxed' },
    ];
    expect(readProblems(`${rows.map(row => JSON.stringify(row)).join('\n')}\n\n`, 'set')).toEqual({
      problems: [
        { id: 'set/1', problem: 'q1', answer: '1234' },
        { id: 'm', problem: 'q2', answer: String.raw`\frac{1}{2}` },
        { id: 'set/3', problem: 'q3', answer: '34' },
        { id: 'set/4', problem: 'q4', answer: '7' },
      ],
      unanswered: [5],
    });
  });

  it('names the line that it cannot read', () => {
    for (const bad of ['{"problem":', '[1]', '{"answer": "1"}']) {
      expect(codeOf(() => readProblems(`{"problem":"q","answer":"1"}\n${bad}`))).toBe('E_PROBLEMS');
      expect(() => readProblems(`{"problem":"q","answer":"1"}\n${bad}`, 'set')).toThrow('set, line 2');
    }
  });

  const folder = new URL('../../../../../shared/data/math/', import.meta.url);
  const here = existsSync(folder);
  it.skipIf(!here)(`reads whole training sets${here ? '' : ' (../shared/data/math is not here)'}`, () => {
    for (const [name, rows] of [
      ['gsm8k.train', 7473],
      ['math.train', 7500],
    ] as const) {
      const { problems, unanswered } = readProblems(readFileSync(new URL(`${name}.jsonl`, folder), 'utf8'), name);
      expect(problems.length + unanswered.length).toBe(rows);
      expect(unanswered.length).toBeLessThan(rows / 100);
      expect(new Set(problems.map(({ id }) => id)).size).toBe(problems.length);
    }
  });
});
