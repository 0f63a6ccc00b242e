/** What counts as the same answer, and why. */

import { describe, expect, it } from 'vitest';
import { canonicalForm, grade, gradeAnswer, type GradeOptions } from './grade.js';

const both = (gold: string, answer: string, expected: string, options: GradeOptions = {}): void => {
  expect(gradeAnswer(gold, answer, options).verdict, `${gold} against ${answer}`).toBe(expected);
  expect(gradeAnswer(answer, gold, options).verdict, `${answer} against ${gold}`).toBe(expected);
};

describe('the same', () => {
  it.each([
    ['\\frac{1}{2}', '0.5'],
    ['\\frac12', '1/2'],
    ['1\\frac{1}{2}', '1.5'],
    ['2 1/4', '\\frac94'],
    ['1{,}234', '1234'],
    ['12,345', '12345'],
    ['0.\\overline{3}', '1/3'],
    ['0.1\\overline{6}', '1/6'],
    ['3e8', '3 \\times 10^8'],
    ['\\sqrt{8}', '2\\sqrt2'],
    ['\\frac{1}{\\sqrt2}', '\\frac{\\sqrt2}{2}'],
    ['\\sqrt{3+2\\sqrt2}', '1+\\sqrt2'],
    ['\\sqrt[3]{-8}', '-2'],
    ['(x+1)^2', 'x^2+2x+1'],
    ['\\frac{x^2-1}{x-1}', 'x+1'],
    ['2^{n+1}', '2 \\cdot 2^n'],
    ['e^{2x}', '(e^x)^2'],
    ['\\sin^2 x + \\cos^2 x', '1'],
    ['\\log_2 8', '3'],
    ['\\ln 4', '2 \\ln 2'],
    ['e^{i\\pi}', '-1'],
    ['i^2', '-1'],
    ['\\frac{3+i}{2}', '1.5 + 0.5i'],
    ['\\binom{5}{2}', '10'],
    ['5!', '120'],
    ['|{-3}|', '3'],
    ['\\lfloor 3.7 \\rfloor', '3'],
    ['\\sin 30^\\circ', '1/2'],
    ['\\cos\\frac{\\pi}{5}', '\\frac{1+\\sqrt5}{4}'],
    ['\\sum_{k=1}^{10} k', '55'],
    ['\\frac{d}{dx} x^3', '3x^2'],
    ['x = 5', '5'],
    ['5 = x', 'x = 5'],
    ['y = 2x + 1', '2x - y + 1 = 0'],
    ['f(x) = x^2', 'y = x^2'],
    ['x > 3', '3 < x'],
    ['-x > -1', 'x < 1'],
    ['(1, 3]', '1 < x \\le 3'],
    ['x \\ne 5', '(-\\infty, 5) \\cup (5, \\infty)'],
    ['\\{x \\mid x \\ge 2\\}', '[2, \\infty)'],
    ['[0, 1] \\cup [1, 2]', '[0, 2]'],
    ['x < 1 \\text{ or } x > 3', '(-\\infty, 1) \\cup (3, \\infty)'],
    ['\\mathbb{R}', '(-\\infty, \\infty)'],
    ['\\{1, 2\\}', '\\{2, 1, 1\\}'],
    ['1, 2, 3', '3, 1 and 2'],
    ['\\pm 2', '\\{-2, 2\\}'],
    ['1 \\pm \\sqrt 2', '1 - \\sqrt2, 1 + \\sqrt2'],
    ['\\begin{pmatrix} 1 \\\\ 2 \\end{pmatrix}', '(1, 2)'],
    ['\\langle 1, 2, 3 \\rangle', '(1, 2, 3)'],
    ['2\\begin{pmatrix} 1 & 2 \\end{pmatrix}', '\\begin{pmatrix} 2 & 4 \\end{pmatrix}'],
    ['90^\\circ', '\\frac{\\pi}{2}'],
    ['90^\\circ', '90'],
    ['50\\%', '0.5'],
    ['5 \\text{ cm}', '5'],
    ['5 \\text{ cm}', '0.05 \\text{ m}'],
    ['\\$5', '5 \\text{ dollars}'],
    ['3:4', '6:8'],
    ['\\text{(C)}', 'C'],
    ['\\text{no solution}', '\\emptyset'],
    ['true', 'Yes'],
    ['1011_2', '11'],
    ['p = 5, q = 2', '(5, 2)'],
    ['x = 1, y = 2', 'y = 2, x = 1'],
    ['x^{1/3}', '\\sqrt[3]{x}'],
    ['\\tan x', '\\frac{\\sin x}{\\cos x}'],
    ['2\\pi r', '2 r \\pi'],
    ['\\begin{cases} x & x > 0 \\\\ -x & x < 0 \\end{cases}', '\\begin{cases} -x & x < 0 \\\\ x & x > 0 \\end{cases}'],
    ['(0,1) \\cup (2,3)', '(2,3) ∪ (0,1)'],
  ])('%s and %s', (gold, answer) => both(gold, answer, 'correct'));
});

describe('the same in other words', () => {
  it.each([
    ['x \\in \\mathbb{R}', 'all real numbers'],
    ['\\text{5 apples}', '5'],
    ['9 (apples)', '9'],
    ['12 \\text{ cm}^2', '12 square centimeters'],
    ['60 \\text{ km/h}', '60 kilometers per hour'],
    ['7:30 p.m.', '7:30'],
    ['x \\le -2 \\cup x \\ge 3', '(-\\infty, -2] \\cup [3, \\infty)'],
    ['f^{-1}(x) = x - 1', 'x - 1'],
  ])('%s and %s', (gold, answer) => both(gold, answer, 'correct'));
});

describe('not the same', () => {
  it.each([
    ['7:30 a.m.', '7:30 p.m.'],
    ['2abc', '2bad'],
    ['5 apples', '6 apples'],
    ['1', '2'],
    ['\\frac{1}{3}', '0.33'],
    ['0.001', '0.0010000001'],
    ['12:00', '1:00'],
    ['1/2004!', '1/2006!'],
    ['\\pm 2', '2'],
    ['1, 2', '1'],
    ['1', '1, 2'],
    ['(1, 2)', '(2, 1)'],
    ['(1, 2)', '[1, 2]'],
    ['\\{1, 2\\}', '(1, 2)'],
    ['x^2 + 1 = 0', 'x + 1 = 0'],
    ['x > 3', 'x \\ge 3'],
    ['x > 3', 'x < 3'],
    ['x = 5', 'y = 5'],
    ['5 \\text{ cm}', '5 \\text{ kg}'],
    ['5 \\text{ dollars}', '5 \\text{ euros}'],
    ['20', '20\\%'],
    ['f(x)', 'f(y)'],
    ['\\sqrt{x^2}', 'x'],
    ['\\sin x', '\\cos x'],
    ['e^{100}', 'e^{100} + 1'],
    ['east', 'west'],
    ['A', 'B'],
    ['ab', 'a+b'],
    ['32349', '32, 349'],
    ['2516_8', '2516_9'],
    ['x', 'X'],
    ['\\log 2', '\\ln 2'],
    ['\\sum_{k=0}^{n-1} a_k', '\\sum_{k=0}^{n-2} a_k'],
    ['(0, 1)', '(0, 1) \\cup (2, 3)'],
    ['x = 1, y = 2', 'x = 2, y = 1'],
    ['\\infty', '-\\infty'],
    ['\\begin{pmatrix} 1 & 2 \\end{pmatrix}', '\\begin{pmatrix} 2 & 1 \\end{pmatrix}'],
    ['2', '2x'],
    ['x^2', 'x^2 + C'],
    ['\\lfloor x \\rfloor', '\\lceil x \\rceil'],
  ])('%s and %s', (gold, answer) => both(gold, answer, 'incorrect'));
});

describe('options', () => {
  it('strictness', () => {
    both('20', '20\\%', 'correct', { compare: { strictness: 'lenient' } });
    both('(1, 2)', '\\{2, 1\\}', 'correct', { compare: { strictness: 'lenient' } });
  });
  it('order of lists', () => both('1, 2', '2, 1', 'incorrect', { compare: { lists: 'ordered' } }));
  it('decimals', () => both('\\frac{8}{3}', '2.67', 'correct', { compare: { places: 2 } }));
  it('names', () => both('f(x)', 'f(y)', 'correct', { compare: { names: 'ignored' } }));
  it('a set for an inequality but not the other way round', () => {
    expect(gradeAnswer('1 < x < 2', '(1, 2)', { compare: { setRelation: 'gold' } }).verdict).toBe('correct');
    expect(gradeAnswer('(1, 2)', '1 < x < 2', { compare: { setRelation: 'gold' } }).verdict).toBe('incorrect');
  });
  it('asks another system where the rules cannot tell', () => {
    const asked: string[][] = [];
    const answering =
      (reply: boolean | null): NonNullable<GradeOptions['deepEquality']> =>
      (gold, answer) => {
        asked.push([gold.text, gold.node.kind, answer.text]);
        return reply;
      };
    const verdict = (reply: boolean | null) =>
      gradeAnswer('99999999!', '99999998! \\cdot 99999999', { deepEquality: answering(reply) });
    expect(verdict(true)).toMatchObject({ verdict: 'correct', rules: expect.arrayContaining(['deep-equality']) });
    expect(verdict(false)).toMatchObject({ verdict: 'incorrect', rules: expect.arrayContaining(['deep-equality']) });
    expect(verdict(null).verdict).toBe('undecided');
    expect(asked[0]).toEqual(['99999999!', expect.any(String), '99999998! \\cdot 99999999']);
    expect(gradeAnswer('1', '2', { deepEquality: answering(true) }).verdict).toBe('incorrect'); // was not asked
    expect(asked).toHaveLength(3);
  });
});

describe('verdicts', () => {
  it('say what was found where, by which rule', () => {
    const verdict = grade('$\\{1, 2\\}$', 'Some words. So the roots are $\\boxed{2}$ and $\\boxed{1}$.');
    expect(verdict).toMatchObject({
      verdict: 'correct',
      stage: 'compare',
      answer: { text: '2, 1', how: 'boxed' },
      canonical: '{1, 2}',
    });
    expect(verdict.rules).toContain('list-as-set');
    expect(verdict.reason).toMatch(/a list stands for a set/);
  });
  it('tell no answer from a wrong one', () => {
    expect(grade('4', 'I do not know.')).toMatchObject({ verdict: 'unparsed', stage: 'extract-answer' });
    expect(grade('4', 'It is $\\boxed{5}$.')).toMatchObject({ verdict: 'incorrect', stage: 'compare' });
    expect(grade('4', '\\boxed{\\frac{1}{}')).toMatchObject({ verdict: 'unparsed', stage: 'read-answer' });
    expect(grade('', '4')).toMatchObject({ verdict: 'unparsed', stage: 'extract-gold' });
  });
  it('are plain data', () => {
    const verdict = grade('1/2', '0.5');
    expect(
      JSON.parse(JSON.stringify(verdict, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value))),
    ).toMatchObject({ verdict: 'correct', canonical: '1/2' });
    expect(structuredClone(verdict)).toMatchObject({ verdict: 'correct', canonical: '1/2' });
  });
});

describe('canonical forms', () => {
  it.each([
    ['0.50', '\\frac{2}{4}'],
    ['2, 1', '\\{1, 2\\}'],
    ['x = 3', '3'],
    ['(x+1)^2', 'x^2 + 2x + 1'],
    ['1 < x < 2', '(1, 2)'],
    ['\\sqrt{12}', '2\\sqrt{3}'],
    ['50\\%', '1/2'],
    ['5\\text{ cm}', '5'],
  ])('%s and %s', (a, b) => expect(canonicalForm(a)).toBe(canonicalForm(b)));
});
