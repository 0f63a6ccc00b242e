import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pearson } from './pearson.js';
import { checkMatrix } from './subject.js';

const columns = fc
  .tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 2, max: 5 }))
  .chain(([T, R]) =>
    fc
      .array(fc.integer({ min: -50, max: 50 }), { minLength: T * R, maxLength: T * R })
      .map(values => ({ T, R, values })),
  );

describe('correlation', () => {
  it('is what its definition says', () => {
    fc.assert(
      fc.property(columns, ({ T, R, values }) => {
        const { matrix, constant } = pearson(values, T, R);
        const column = (r: number) => Array.from({ length: T }, (_, t) => values[t * R + r]!);
        const mean = (list: readonly number[]) => list.reduce((a, b) => a + b, 0) / T;
        const covariance = (a: number, b: number) =>
          mean(column(a).map((x, t) => (x - mean(column(a))) * (column(b)[t]! - mean(column(b)))));
        let still = 0;
        for (let a = 0; a < R; a++) {
          if (covariance(a, a) < 1e-9) still++;
          for (let b = 0; b < R; b++) {
            const scale = Math.sqrt(covariance(a, a) * covariance(b, b));
            const expected = a === b ? 1 : scale < 1e-9 ? 0 : covariance(a, b) / scale;
            expect(matrix[a * R + b]).toBeCloseTo(expected, 5);
          }
        }
        expect(constant).toBe(still);
        checkMatrix(matrix, [R, R], 'own');
      }),
    );
  });

  it('refuses too little and what is not finite', () => {
    expect(() => pearson([1, 2], 1, 2)).toThrow(expect.objectContaining({ code: 'E_MATRIX' }));
    expect(() => pearson([1, 2, Number.NaN, 3], 2, 2, 'a.1D')).toThrow(
      expect.objectContaining({ code: 'E_MATRIX', message: expect.stringContaining('a.1D: row 2, column 1') }),
    );
  });
});

describe('a matrix', () => {
  it.each<[readonly number[], readonly number[], string]>([
    [[1, 0, 0, 0, 1, 0], [2, 3], 'square'],
    [[1], [1, 1], 'at least 2'],
    [[1, 2, 2, 1], [2, 2], 'row 1, column 2: .*tanh'],
    [[1, 0.5, 0.25, 1], [2, 2], 'row 2, column 1: .*symmetric'],
    [[1, Number.NaN, Number.NaN, 1], [2, 2], "missing 'zero'"],
  ])('%j of shape %j is refused', (values, shape, words) => {
    expect(() => checkMatrix(values, shape, 'a.npy')).toThrow(
      expect.objectContaining({ code: 'E_MATRIX', message: expect.stringMatching(`^a.npy: .*${words}`) }),
    );
  });

  it('may lack cells where that is allowed', () => {
    expect([...checkMatrix([1, Number.NaN, Number.NaN, 1], [2, 2], 'a.npy', 'zero')]).toEqual([1, 0, 0, 1]);
  });
});
