/** Inputs that would hold up a careless grader. */

import { describe, expect, it } from 'vitest';
import { makeInput, numbers, someAnswers } from '../scripts/inputs.mjs';
import { grade } from './grade.js';

describe('hostile input', () => {
  it.each([
    ['a tower of powers', '10**(10**10)', '7**(10**10)'],
    ['nested powers', '9^{9^{9^{9^9}}}', '9^{9^{9^{9^8}}}'],
    ['a factorial too long to write down', '100000!', '100001!'],
    ['braces', '{'.repeat(100_000), '1'],
    ['closed braces', `${'{'.repeat(50_000)}1${'}'.repeat(50_000)}`, '1'],
  ])('%s is not decided', (_, answer, gold) => {
    const found = grade(gold, answer, { answerIs: 'answer' });
    expect(found.verdict).toBe('undecided');
    expect(found.reason).toMatch(/budget of/);
  });

  it('tells large numbers apart exactly', () => {
    expect(grade('1/2004!', '1/2006!').verdict).toBe('incorrect');
    expect(grade('2^{1000}', '2^{1000} + 1').verdict).toBe('incorrect');
    expect(grade('1024^{100}', '2^{1000}').verdict).toBe('correct');
    expect(grade('10^{10^{10}}', '10**(10**10)').verdict).toBe('correct');
  });

  it('never throws and gives the same verdict twice', () => {
    const draw = numbers(5);
    for (let i = 0; i < 3_000; i++) {
      const [gold, answer] = [makeInput(draw, someAnswers), makeInput(draw, someAnswers)];
      const once = grade(gold, answer);
      expect(['correct', 'incorrect', 'unparsed', 'undecided']).toContain(once.verdict);
      expect(once.reason.length).toBeGreaterThan(0);
      expect(grade(gold, answer).verdict).toBe(once.verdict);
    }
  });

  it('takes any budget', () => {
    const draw = numbers(6);
    for (let i = 0; i < 1_000; i++) {
      const answer = makeInput(draw, someAnswers);
      const { verdict } = grade(answer, answer, { limits: { steps: Math.floor(draw() * 200), bits: 64, depth: 10 } });
      expect(['correct', 'incorrect', 'unparsed', 'undecided']).toContain(verdict);
    }
  });
});
