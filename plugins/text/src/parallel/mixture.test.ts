/** Rates of drawing against what they promise. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawRates, type Mixture } from './mixture.js';

const drawsOf = (counts: readonly number[], mixture: Mixture): readonly number[] =>
  drawRates(counts, mixture).map((rate, i) => rate * counts[i]!);
const sum = (all: readonly number[]): number => all.reduce((a, b) => a + b, 0);
const sizes = fc.array(fc.integer({ min: 1, max: 5000 }), { minLength: 1, maxLength: 6 });

describe('draws of an epoch', () => {
  it('are as many as pairs, in proportion to n^(1/T)', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(1, 2, 5, 100), (counts, temperature) => {
        const draws = drawsOf(counts, { temperature });
        expect(sum(draws)).toBeCloseTo(sum(counts), 6);
        for (const [i, count] of counts.entries())
          expect(draws[i]! / draws[0]!).toBeCloseTo((count / counts[0]!) ** (1 / temperature), 6);
      }),
    );
  });

  it('keep quotas, and give the rest by temperature', () => {
    expect(drawsOf([100, 300, 600], { quotas: [0.5, null, null] }).map(Math.round)).toEqual([500, 167, 333]);
    expect(drawsOf([100, 300, 600], { quotas: [0.2, 0.3, 0.5], temperature: 5 }).map(Math.round)).toEqual([200, 300, 500]); // prettier-ignore
    expect(drawRates([0, 10], { quotas: [null, 1] })).toEqual([0, 1]);
  });

  it('never pass the cap; what it takes goes to the others in proportion', () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(1, 3, 100), fc.constantFrom(1, 1.5, 4), (counts, temperature, most) => {
        const rates = drawRates(counts, { temperature, most });
        for (const rate of rates) expect(rate).toBeLessThanOrEqual(most + 1e-9);
        // The cap is 1 or more, so there is always room for all draws.
        expect(sum(rates.map((rate, i) => rate * counts[i]!))).toBeCloseTo(sum(counts), 6);
        const free = drawRates(counts, { temperature });
        const below = rates.flatMap((rate, i) => (rate < most - 1e-9 ? [rate / free[i]!] : []));
        for (const ratio of below) expect(ratio).toBeCloseTo(below[0]!, 6);
      }),
    );
    // All of one corpus, which may be drawn twice: half of the epoch is missing, for the other has no share.
    expect(drawsOf([10, 30], { quotas: [1, 0], most: 2 })).toEqual([20, 0]);
  });

  it.each<[Mixture, RegExp]>([
    [{ temperature: 0.9 }, /temperature: .*received 0.9/],
    [{ most: 0.5 }, /most: .*received 0.5/],
    [{ quotas: [0.5] }, /for each of 2 corpora/],
    [{ quotas: [0.5, 0.6] }, /together 1/],
    [{ quotas: [0.5, 0.4] }, /together 1/],
    [{ quotas: [-0.5, null] }, /a share from 0 to 1/],
    [{ quotas: [Number.NaN, null] }, /a share from 0 to 1/],
  ])('%j is refused', (mixture, message) => {
    expect(() => drawRates([10, 20], mixture)).toThrow(message);
  });

  it('of a corpus without pairs are none', () => {
    expect(() => drawRates([0, 20], { quotas: [0.5, null] })).toThrow(/received none in number 1/);
  });
});
