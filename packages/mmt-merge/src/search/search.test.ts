/** Searches against optima that are known, and against themselves after a stop. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchValues, type SearchOptions, type Trial } from './search.js';

const space = { weight: [0, 2], density: [0.1, 0.9] } as const;
/** Two hills; the higher one at (1.4, 0.3). */
const hills = ({ weight = 0, density = 0 }): number =>
  2 * Math.exp(-20 * ((weight - 1.4) ** 2 + (density - 0.3) ** 2)) + Math.exp(-20 * ((weight - 0.4) ** 2 + (density - 0.7) ** 2)); // prettier-ignore
const options: SearchOptions = { space, budget: 60, evaluate: hills };

describe('a search', () => {
  it('begins in the middle, stays within its bounds and its budget, and finds the higher of two hills', async () => {
    const { best, trials } = await searchValues(options);
    expect(trials).toHaveLength(60);
    expect(trials[0]!.values).toEqual({ weight: 1, density: 0.5 });
    for (const { values, score } of trials) {
      for (const [name, [low, high]] of Object.entries(space)) expect(values[name]! >= low && values[name]! <= high).toBe(true); // prettier-ignore
      expect(score).toBe(hills(values));
    }
    expect(best.score).toBe(Math.max(...trials.map(({ score }) => score)));
    expect(best.values['weight']).toBeCloseTo(1.4, 1);
    expect(best.values['density']).toBeCloseTo(0.3, 1);
  });

  it('stopped after any trial, goes on to the same result without trying twice', async () => {
    const whole = await searchValues({ ...options, budget: 25 });
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 24 }), async stopAt => {
        const journal: Trial[] = [];
        const stop = new AbortController();
        const onTrial = (trial: Trial): void => {
          journal.push(trial);
          if (journal.length === stopAt) stop.abort();
        };
        await expect(searchValues({ ...options, budget: 25, onTrial, signal: stop.signal })).rejects.toThrow();
        expect(journal).toHaveLength(stopAt);
        let evaluated = 0;
        const evaluate = async (values: Trial['values']): Promise<number> => (evaluated++, hills(values));
        expect(await searchValues({ ...options, budget: 25, evaluate, known: journal })).toEqual(whole);
        expect(evaluated).toBe(25 - stopAt);
      }),
      { numRuns: 8 },
    );
  });

  it('of what is equal everywhere takes the first, and of too narrow bounds ends early', async () => {
    const flat = await searchValues({ space, budget: 9, evaluate: () => 1 });
    expect(flat.best).toBe(flat.trials[0]);
    const one = await searchValues({ space: { x: [1, 1 + 1e-12] }, budget: 4, evaluate: () => 1 });
    expect(one.trials.length).toBeGreaterThan(0);
  });

  it.each<[Partial<SearchOptions>, RegExp]>([
    [{ space: {} }, /at least one value/],
    [{ space: { x: [1, 1] } }, /x: expected a lower and a higher bound/],
    [{ space: { x: [0, Infinity] } }, /x: expected a lower and a higher bound/],
    [{ budget: 0 }, /budget/],
    [{ evaluate: () => Number.NaN }, /trial 0: expected a finite score/],
    [{ known: [{ values: { weight: 0.9, density: 0.5 }, score: 1 }] }, /known trial 0: .*weight of 1/],
  ])('%j is refused', async (given, message) => {
    await expect(searchValues({ ...options, ...given })).rejects.toMatchObject({ code: 'E_SEARCH', message: expect.stringMatching(message) as string }); // prettier-ignore
  });
});
