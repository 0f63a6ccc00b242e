import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coordinatesOf,
  counter,
  dividedBy,
  number,
  placeOf,
  plus,
  range,
  remainder,
  times,
  valueOf,
  type Index,
} from './index-of.js';

const cell = { name: 'x', below: 720 };
const at = (index: Index, x: number): number => valueOf(index, { x, r: (x * 7) % 30 }, () => 0);

/** A random index, and what it must come to. */
const built: fc.Arbitrary<readonly [Index, (x: number) => number]> = fc.letrec<{
  node: readonly [Index, (x: number) => number];
}>(tie => ({
  node: fc.oneof(
    { maxDepth: 5 },
    fc.constantFrom<readonly [Index, (x: number) => number]>(
      [counter(cell), x => x],
      [counter({ name: 'r', below: 30 }), x => (x * 7) % 30],
    ),
    fc
      .tuple(tie('node'), fc.integer({ min: 0, max: 9 }))
      .map(([[i, f], n]) => [plus(i, number(n)), (x: number) => f(x) + n] as const),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 12 }))
      .map(([[i, f], n]) => [times(i, n), (x: number) => f(x) * n] as const),
    fc.tuple(tie('node'), tie('node')).map(([[i, f], [j, g]]) => [plus(i, j), (x: number) => f(x) + g(x)] as const),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 60 }))
      .map(([[i, f], n]) => [dividedBy(i, n), (x: number) => Math.floor(f(x) / n)] as const),
    fc
      .tuple(tie('node'), fc.integer({ min: 1, max: 60 }))
      .map(([[i, f], n]) => [remainder(i, n), (x: number) => f(x) % n] as const),
  ),
})).node;

describe('places in memory', () => {
  it('come to what plain arithmetic gives, within their range', () => {
    fc.assert(
      fc.property(built, fc.integer({ min: 0, max: 719 }), ([index, plain], x) => {
        expect(at(index, x)).toBe(plain(x));
        const [low, high] = range(index);
        expect(at(index, x)).toBeGreaterThanOrEqual(low);
        expect(at(index, x)).toBeLessThanOrEqual(high);
      }),
      { numRuns: 3000 },
    );
  });

  it('are the counter itself after a reshape there and back', () => {
    const there = coordinatesOf(counter(cell), [6, 120]);
    const other = coordinatesOf(placeOf(there, [6, 120]), [2, 3, 4, 30]);
    expect(placeOf(other, [2, 3, 4, 30]).key).toBe(counter(cell).key);
    expect(placeOf(coordinatesOf(placeOf(other, [2, 3, 4, 30]), [720]), [720]).key).toBe(counter(cell).key);
  });

  it('need one division for a row that is kept', () => {
    const [row] = coordinatesOf(counter(cell), [8, 90]);
    const [a, b] = coordinatesOf(row!, [2, 4]);
    expect(placeOf([a!, b!], [2, 4]).key).toBe('1*x/90+0');
  });

  it('stay exact below an offset that is negative', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 719 }), fc.integer({ min: 1, max: 90 }), (x, d) => {
        const shifted = plus(counter(cell), number(-50));
        expect(at(dividedBy(shifted, d), x)).toBe(Math.floor((x - 50) / d));
        expect(at(remainder(shifted, d), x)).toBe(x - 50 - d * Math.floor((x - 50) / d));
      }),
    );
  });
});
