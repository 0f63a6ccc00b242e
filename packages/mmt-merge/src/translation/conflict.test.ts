/** Differences against normal theory, and what chance alone says. */

import { uniforms } from '@heddle/core';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { conflictCurve, conflictsOf, pairedDifference } from './conflict.js';

const normal = (count: number, seed: number, mean = 0): number[] => {
  const draw = uniforms(seed, 1);
  return Array.from(
    { length: count },
    () => mean + Math.sqrt(-2 * Math.log(1 - draw())) * Math.cos(2 * Math.PI * draw()),
  );
};

it('the interval is about that of the normal distribution', () => {
  const [own, other] = [normal(400, 1, 0.3), normal(400, 2)];
  const apart = own.map((x, i) => x - other[i]!);
  const mean = apart.reduce((a, b) => a + b, 0) / 400;
  const error = Math.sqrt(apart.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 399 / 400);
  const { delta, low, high, significant } = pairedDifference(own, other);
  expect(delta).toBeCloseTo(mean, 12);
  expect(Math.abs(low - (mean - 1.96 * error))).toBeLessThan(0.2 * error);
  expect(Math.abs(high - (mean + 1.96 * error))).toBeLessThan(0.2 * error);
  expect(significant).toBe(true);
});

it('of one distribution, about one comparison in twenty is called more than chance', () => {
  const found = Array.from({ length: 200 }, (_, i) =>
    pairedDifference(normal(80, 2 * i), normal(80, 2 * i + 1), { draws: 400 }),
  );
  const share = found.filter(({ significant }) => significant).length / 200;
  expect(share).toBeGreaterThan(0.01);
  expect(share).toBeLessThan(0.12);
});

it('turned around it has the other sign, and of equal lists it is nothing', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.float({ noNaN: true, min: -9, max: 9 }), fc.float({ noNaN: true, min: -9, max: 9 })), { minLength: 1, maxLength: 30 }), pairs => {
      const [own, other] = [pairs.map(([x]) => x), pairs.map(([, y]) => y)];
      const [one, back] = [pairedDifference(own, other, { draws: 100 }), pairedDifference(other, own, { draws: 100 })];
      expect(one.delta).toBeCloseTo(-back.delta, 9);
      expect(pairedDifference(own, own, { draws: 10 })).toEqual({ delta: 0, low: 0, high: 0, significant: false });
      expect(one.low).toBeLessThanOrEqual(one.high);
    }),
  ); // prettier-ignore
});

it('training together is followed over the number of languages, each over its own directions', () => {
  const row = (delta: number, ...languages: readonly string[]) => ({
    directions: Object.fromEntries(languages.flatMap((language, i) => [
      [`${language}-en`, { scores: {}, sentences: normal(40, i, delta) }],
      [`en-${language}`, { scores: {}, sentences: normal(40, 10 + i, -delta) }],
    ])),
  }); // prettier-ignore
  const rows = { separate: row(0, 'de', 'fr', 'it'), multilingual: row(3, 'de', 'fr', 'it'), 'multilingual of 2': row(1, 'de', 'fr') }; // prettier-ignore
  const found = conflictCurve({ rows }).map(({ languages, ways }) => [languages, ways.into.mean, ways['out-of'].mean]);
  expect(found).toEqual([[2, expect.closeTo(1, 5), expect.closeTo(-1, 5)], [3, expect.closeTo(3, 5), expect.closeTo(-3, 5)]]); // prettier-ignore
  expect(conflictCurve({ rows: { multilingual: rows.multilingual } })).toEqual([]);
});

it('rows are compared direction by direction, and summed by way', () => {
  const row = (into: number, out: number) => ({
    directions: {
      'de-en': { scores: {}, sentences: normal(100, 1, into) },
      'fr-en': { scores: {}, sentences: normal(100, 2, into) },
      'en-de': { scores: {}, sentences: normal(100, 3, out) },
    },
  }); // prettier-ignore
  const rows = { separate: row(0, 0), multilingual: row(-2, 3) };
  const { directions, ways } = conflictsOf({ rows }, 'multilingual');
  expect(directions['de-en']!.delta).toBeCloseTo(-2, 6);
  expect(ways.into).toEqual({ mean: expect.closeTo(-2, 6) as number, conflicts: 2, synergies: 0, directions: 2 });
  expect(ways['out-of']).toEqual({ mean: expect.closeTo(3, 6) as number, conflicts: 0, synergies: 1, directions: 1 });
  expect(() => conflictsOf({ rows }, 'ties')).toThrow(expect.objectContaining({ code: 'E_SCORES' }));
  expect(() => pairedDifference([1], [])).toThrow(expect.objectContaining({ code: 'E_SCORES' }));
});
