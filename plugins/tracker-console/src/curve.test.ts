import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emptyCurve, extend, sparkline } from './curve.js';

const draw = (values: readonly number[], width: number): string => sparkline(values.reduce(extend, emptyCurve), width);

describe('the curve', () => {
  it('shows high and low', () => {
    expect(draw([8, 7, 6, 5, 4, 3, 2, 1], 8)).toBe('█▇▆▅▄▃▂▁');
    expect(draw([1, 1, 1], 8)).toBe('▁▁▁');
    expect(draw([1], 8)).toBe('');
    expect(draw([2, Number.NaN, 1, Infinity], 8)).toBe('█▁');
  });

  it('keeps the shape of a long run in bounded memory', () => {
    const curve = Array.from({ length: 100_000 }, (_, at) => 100_000 - at).reduce(extend, emptyCurve);
    expect(curve.points.length).toBeLessThan(64);
    expect(sparkline(curve, 8)).toBe('█▇▆▅▄▃▂▁');
  });

  it('never is wider than asked, for any values', () => {
    fc.assert(
      fc.property(fc.array(fc.double(), { maxLength: 300 }), fc.integer({ min: 0, max: 40 }), (values, width) => {
        expect([...draw(values, width)].length).toBeLessThanOrEqual(width);
      }),
    );
  });
});
