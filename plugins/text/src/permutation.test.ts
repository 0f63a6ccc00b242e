import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { permutation } from './permutation.js';

describe('permutation', () => {
  it('is one, for any size and key', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 5000 }),
      fc.constantFrom(1, 4, 5, 16, 17, 1024, 1025, 4096, 4097),
    );
    fc.assert(
      fc.property(size, fc.integer(), (n, key) => {
        const at = permutation(n, key);
        const seen = new Uint8Array(n);
        for (let index = 0; index < n; index++) seen[at(index)]!++;
        expect(seen.every(times => times === 1)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('stays inside at the largest size', () => {
    const at = permutation(2 ** 31, 7);
    const places = Array.from({ length: 1000 }, (_, index) => at(2 ** 31 - 1 - index));
    expect(places.every(place => Number.isInteger(place) && place >= 0 && place < 2 ** 31)).toBe(true);
    expect(new Set(places).size).toBe(1000);
  });

  it('sends each index everywhere about equally often, over keys', () => {
    const [size, keys] = [10, 20_000];
    const counts = Array.from({ length: size }, () => new Float64Array(size));
    for (let key = 0; key < keys; key++) {
      const at = permutation(size, key);
      for (let index = 0; index < size; index++) counts[index]![at(index)]!++;
    }
    const expected = keys / size;
    const chiSquare = counts
      .flatMap(row => [...row].map(count => (count - expected) ** 2 / expected))
      .reduce((a, b) => a + b);
    expect(chiSquare).toBeLessThan(150); // 81 degrees of freedom: above 150 by chance once in 10^5
  });

  it('leaves few neighbours together', () => {
    const at = permutation(10_000, 3);
    let together = 0;
    for (let index = 0; index + 1 < 10_000; index++) if (Math.abs(at(index) - at(index + 1)) === 1) together++;
    expect(together).toBeLessThan(12); // 2 expected
  });

  it('refuses a size that it cannot do', () => {
    for (const size of [0, -1, 1.5, 2 ** 31 + 1, Number.NaN])
      expect(() => permutation(size, 0)).toThrow(expect.objectContaining({ code: 'E_RANGE' }));
  });
});
