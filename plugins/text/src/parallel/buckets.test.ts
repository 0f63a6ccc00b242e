import fc from 'fast-check';
import { expect, it } from 'vitest';
import { chooseBuckets, fitBuckets, type Bucket } from './buckets.js';

const lengths = fc.array(
  fc.record({ source: fc.integer({ min: 1, max: 9 }), target: fc.integer({ min: 1, max: 9 }) }),
  {
    minLength: 1,
    maxLength: 12,
  },
);

/** Cells when pairs, in the order of their longer side, are cut into at most `count` groups: the best of all ways. */
function fewest(sorted: readonly Bucket[], count: number): number {
  if (sorted.length === 0) return 0;
  if (count === 0) return Infinity;
  let best = Infinity;
  for (let n = 1; n <= sorted.length; n++) {
    if (n < sorted.length && longer(sorted[n]!) === longer(sorted[n - 1]!)) continue;
    const own = sorted.slice(0, n);
    const cells = n * (Math.max(...own.map(one => one.source)) + Math.max(...own.map(one => one.target)));
    best = Math.min(best, cells + fewest(sorted.slice(n), count - 1));
  }
  return best;
}
const longer = ({ source, target }: Bucket): number => Math.max(source, target);

it('no other buckets pad less', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 4 }), (pairs, count) => {
      const buckets = chooseBuckets(pairs, count);
      expect(buckets.length).toBeLessThanOrEqual(count);
      const sorted = pairs.toSorted((a, b) => longer(a) - longer(b));
      const fit = fitBuckets(pairs, buckets);
      const cells = [...fit].reduce((sum, bucket) => sum + buckets[bucket]!.source + buckets[bucket]!.target, 0);
      expect(cells).toBeLessThanOrEqual(fewest(sorted, count)); // less where a pair fits another bucket too
      for (const [i, { source, target }] of pairs.entries()) {
        expect(buckets[fit[i]!]!.source).toBeGreaterThanOrEqual(source);
        expect(buckets[fit[i]!]!.target).toBeGreaterThanOrEqual(target);
      }
    }),
  );
});

it('lengths are rounded up', () => {
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 5 }), (pairs, multiple) => {
      for (const { source, target } of chooseBuckets(pairs, 3, multiple))
        expect([source % multiple, target % multiple]).toEqual([0, 0]);
    }),
  );
  expect(chooseBuckets([], 3)).toEqual([]);
});

it('a pair that nothing holds is refused', () => {
  expect(() => fitBuckets([{ source: 3, target: 9 }], [{ source: 9, target: 3 }])).toThrow(
    expect.objectContaining({ code: 'E_OPTION', message: expect.stringContaining('9 x 3') }),
  );
});
