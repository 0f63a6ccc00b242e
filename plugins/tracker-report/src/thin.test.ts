import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ticks } from './chart.js';
import { smooth, thin } from './thin.js';

const places = fc.array(fc.tuple(fc.nat(1000), fc.double({ min: -1e3, max: 1e3, noNaN: true })), { maxLength: 80 });

it('keeps short curves, and the mean of long ones whose parts are equal', () => {
  fc.assert(
    fc.property(places, fc.integer({ min: 1, max: 40 }), (all, most) => {
      const few = thin(all, most);
      expect(few.length).toBe(Math.min(all.length, most));
      if (all.length <= most) expect(few).toEqual(all);
      if (all.length % most !== 0 || all.length === 0) return;
      const mean = (list: typeof few): number => list.reduce((sum, [, y]) => sum + y, 0) / list.length;
      expect(mean(few)).toBeCloseTo(mean(all), 6);
    }),
  );
});

it('smooths within the bounds of what it is given, and leaves a level as it is', () => {
  fc.assert(
    fc.property(places, fc.double({ min: 1, max: 50, noNaN: true }), (all, memory) => {
      const values = all.map(([, y]) => y);
      for (const [, y] of smooth(all, memory)) {
        expect(y).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
        expect(y).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
      }
    }),
  );
  expect(smooth([[1, 4], [2, 4], [3, 4]], 10).map(([, y]) => y)).toEqual([4, 4, 4].map(y => expect.closeTo(y, 9))); // prettier-ignore
});

it('marks axes at round numbers between the ends', () => {
  fc.assert(
    fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.double({ min: 1e-3, max: 1e6, noNaN: true }), (low, size) => {
      const marks = ticks(low, low + size, 5);
      expect(marks.length).toBeGreaterThanOrEqual(1);
      expect(marks.length).toBeLessThanOrEqual(6);
      for (const mark of marks) {
        expect(mark).toBeGreaterThanOrEqual(low - 1e-6 * Math.max(1, Math.abs(low)));
        expect(mark).toBeLessThanOrEqual(low + size + 1e-6 * Math.max(1, Math.abs(low + size)));
      }
    }),
  ); // prettier-ignore
});
