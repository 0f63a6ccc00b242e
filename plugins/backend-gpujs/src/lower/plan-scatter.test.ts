import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sortByTarget } from './plan-scatter.js';

describe('sortByTarget', () => {
  it('gives each target its own rows, each row once, in their order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(1000), { maxLength: 60 }), (size, numbers) => {
        const index = numbers.map(n => n % size);
        const { order, starts } = sortByTarget(index, size);
        expect(starts[0]).toBe(0);
        expect(starts[size]).toBe(index.length);
        for (let target = 0; target < size; target++) {
          const rows = [...order.subarray(starts[target], starts[target + 1])];
          expect(rows).toEqual(index.flatMap((t, row) => (t === target ? [row] : [])));
        }
      }),
    );
  });
});
