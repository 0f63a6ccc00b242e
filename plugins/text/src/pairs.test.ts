import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pairTable } from './pairs.js';

it('a pair table holds what a Map would', () => {
  const pair = fc.tuple(fc.nat(40), fc.nat(40), fc.nat());
  fc.assert(
    fc.property(fc.array(pair, { maxLength: 400 }), entries => {
      const table = pairTable(0);
      const map = new Map<string, number>();
      for (const [left, right, value] of entries) {
        table.set(left, right, value);
        map.set(`${left},${right}`, value);
      }
      for (let left = 0; left <= 40; left++) {
        for (let right = 0; right <= 40; right++)
          expect(table.get(left, right)).toBe(map.get(`${left},${right}`) ?? -1);
      }
    }),
    { numRuns: 50 },
  );
});
