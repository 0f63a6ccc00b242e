import fc from 'fast-check';
import { expect, it } from 'vitest';
import { factors, product, relativeDistance, svd } from './svd.js';

const matrix = (rows: number, columns: number, seed: number, rank = Math.min(rows, columns)) => {
  const draw = (i: number): number =>
    Math.sin(i * 12.9898 + seed) * 43_758.5453 - Math.floor(Math.sin(i * 12.9898 + seed) * 43_758.5453) - 0.5;
  const b = Float32Array.from({ length: rows * rank }, (_, i) => draw(i));
  const a = Float32Array.from({ length: rank * columns }, (_, i) => draw(i + 1000));
  return { rows, columns, data: product(b, a, rows, columns) };
};

it('gives a matrix back from its parts', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.nat(100),
      (rows, columns, seed) => {
        const m = matrix(rows, columns, seed);
        const { a, b, values } = factors(m, 100);
        expect(relativeDistance(m.data, product(b, a, rows, columns))).toBeLessThan(1e-5);
        expect([...values].every((value, i) => i === 0 || value <= values[i - 1]!)).toBe(true);
      },
    ),
  );
});

it.each([
  [300, 200],
  [160, 400],
])('finds the rank of a large matrix by projection: %d x %d', (rows, columns) => {
  const m = matrix(rows, columns, 3, 10);
  const { a, b } = factors(m, 10);
  expect(relativeDistance(m.data, product(b, a, rows, columns))).toBeLessThan(1e-4);
});

it('is the best of its rank: what is left has the length of the values left out', () => {
  const m = matrix(40, 30, 5);
  const all = svd(m, 30).values;
  const { a, b } = factors(m, 8);
  const left = Math.sqrt(all.subarray(8).reduce((sum, value) => sum + value * value, 0));
  const whole = Math.sqrt(all.reduce((sum, value) => sum + value * value, 0));
  expect(relativeDistance(m.data, product(b, a, 40, 30))).toBeCloseTo(left / whole, 4);
});
