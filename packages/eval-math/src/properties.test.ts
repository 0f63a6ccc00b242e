/** Laws that hold for any answer, over answers made by a grammar. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradeAnswer } from './grade.js';

/** What has a value: numbers, symbols, sums, products, quotients, powers, roots. */
const expression: fc.Arbitrary<string> = fc.letrec<{ node: string; leaf: string }>(tie => ({
  leaf: fc.oneof(
    fc.integer({ min: 0, max: 999 }).map(String),
    fc.constantFrom('x', 'y', 'a', '\\pi', 't'),
    fc.tuple(fc.integer({ min: 1, max: 99 }), fc.integer({ min: 2, max: 99 })).map(([n, d]) => `\\frac{${n}}{${d}}`),
  ),
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `\\left(${a}\\right) + ${b}`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `${a} - \\left(${b}\\right)`),
    fc.tuple(tie('node'), tie('node')).map(([a, b]) => `\\left(${a}\\right) \\cdot \\left(${b}\\right)`),
    fc.tuple(tie('node'), fc.integer({ min: 2, max: 9 })).map(([a, n]) => `\\frac{${a}}{${n}}`),
    fc.tuple(tie('node'), fc.integer({ min: 2, max: 3 })).map(([a, n]) => `\\left(${a}\\right)^{${n}}`),
    fc
      .tuple(fc.integer({ min: 2, max: 50 }), tie('leaf'))
      .map(([n, a]) => `\\sqrt{${n}} ${/^\d/.test(a) ? `\\cdot ${a}` : a}`),
    tie('leaf').map(a => `\\sin\\left(${a}\\right)`),
  ),
})).node;

const items = fc.array(expression, { minLength: 2, maxLength: 5 });
const verdict = (gold: string, answer: string): string => gradeAnswer(gold, answer).verdict;
const runs = { numRuns: 300, seed: 11 };

describe('equality', () => {
  it('is reflexive', () => {
    fc.assert(
      fc.property(expression, a => void expect(verdict(a, `0 + ${a}`)).toBe('correct')),
      runs,
    );
  });

  it('is symmetric', () => {
    fc.assert(
      fc.property(expression, expression, (a, b) => void expect(verdict(a, b)).toBe(verdict(b, a))),
      runs,
    );
  });

  it('never holds after adding 1', () => {
    fc.assert(
      fc.property(expression, a => void expect(verdict(a, `${a} + 1`)).toBe('incorrect')),
      runs,
    );
    fc.assert(
      fc.property(expression, a => void expect(verdict(`1 + ${a}`, a)).toBe('incorrect')),
      runs,
    );
  });

  it('does not mind white space, \\left and \\right, \\dfrac', () => {
    fc.assert(
      fc.property(expression, a => {
        expect(verdict(a, a.replaceAll(' ', '   '))).toBe('correct');
        expect(verdict(a, `1 \\cdot (${a.replaceAll('\\left', '').replaceAll('\\right', '')})`)).toBe('correct');
        expect(verdict(`${a} + 0`, a.replaceAll('\\frac', '\\dfrac'))).toBe('correct');
      }),
      runs,
    );
  });

  it('does not mind the order of sums and products', () => {
    fc.assert(
      fc.property(expression, expression, (a, b) => {
        expect(verdict(`(${a}) + (${b})`, `(${b}) + (${a})`)).toBe('correct');
        expect(verdict(`(${a}) \\cdot (${b})`, `(${b}) \\cdot (${a})`)).toBe('correct');
      }),
      runs,
    );
  });

  it('does not mind the order of sets, and counts every element', () => {
    fc.assert(
      fc.property(items, list => {
        const set = (parts: readonly string[]): string => `\\{${parts.join(', ')}\\}`;
        expect(verdict(set(list), set(list.toReversed()))).toBe('correct');
        expect(verdict(set([...list, '123456']), set(list))).toBe('incorrect');
        expect(verdict(set(list), set([...list, '123456']))).toBe('incorrect');
      }),
      { ...runs, numRuns: 100 },
    );
  });

  it('minds the order of tuples', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer(), { minLength: 2, maxLength: 5 }), list => {
        expect(verdict(`(${list.join(', ')})`, `(${list.join(',')})`)).toBe('correct');
        expect(verdict(`(${list.join(', ')})`, `(${list.toReversed().join(', ')})`)).toBe('incorrect');
      }),
      runs,
    );
  });

  it('knows a rational by any of its names', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -9999, max: 9999 }),
        fc.integer({ min: 1, max: 999 }),
        fc.integer({ min: 1, max: 50 }),
        (n, d, k) => {
          expect(verdict(`\\frac{${n}}{${d}}`, `${n * k}/${d * k}`)).toBe('correct');
          expect(verdict(`\\frac{${n}}{${d}}`, `\\frac{${n * k + 1}}{${d * k}}`)).toBe('incorrect');
        },
      ),
      runs,
    );
  });

  it('takes a decimal for what rounds to it, and for nothing else', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9999 }), fc.integer({ min: 2, max: 997 }), (n, d) => {
        const exact = `\\frac{${n}}{${d}}`;
        expect(verdict(exact, (n / d).toFixed(9))).toBe('correct');
        expect(verdict(exact, (n / d + 1e-3).toFixed(9))).toBe('incorrect');
      }),
      runs,
    );
  });
});
