/** Caps on targets that several corpora share. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { capTargets, repeatedTargets } from './cap-targets.js';
import type { Pair } from './pair.js';

const target = fc.integer({ min: 0, max: 12 }).map(n => `target ${n}`);
const corpora = fc.array(fc.array(fc.record({ source: fc.string({ maxLength: 3 }), target }), { maxLength: 15 }), { minLength: 1, maxLength: 5 }); // prettier-ignore
const inHowMany = (all: readonly (readonly Pair[])[]): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>();
  for (const pairs of all)
    for (const one of new Set(pairs.map(pair => pair.target))) counts.set(one, (counts.get(one) ?? 0) + 1);
  return counts;
};

describe('targets of several corpora', () => {
  it('stand in as many as the cap allows, and none is lost', () => {
    fc.assert(
      fc.property(corpora, fc.integer({ min: 1, max: 3 }), fc.nat(9), (all, most, seed) => {
        const { corpora: kept, dropped } = capTargets(all, most, seed);
        const [before, after] = [inHowMany(all), inHowMany(kept)];
        expect([...after.keys()].sort()).toEqual([...before.keys()].sort());
        for (const [one, count] of after) expect(count).toBe(Math.min(most, before.get(one)!));
        expect(dropped).toBe(all.flat().length - kept.flat().length);
        // What stays in a corpus stays whole and in order.
        for (const [i, pairs] of kept.entries()) {
          const held = new Set(pairs.map(pair => pair.target));
          expect(pairs).toEqual(all[i]!.filter(pair => held.has(pair.target)));
        }
        expect(capTargets(all, most, seed)).toEqual({ corpora: kept, dropped });
        if (most === 1) expect(repeatedTargets(kept)).toBe(0);
      }),
    );
  });

  it('are left in all corpora alike', () => {
    const all = Array.from({ length: 4 }, () => Array.from({ length: 2000 }, (_, n) => ({ source: 'x', target: `t${n}` }))); // prettier-ignore
    expect(repeatedTargets(all)).toBe(1);
    for (const pairs of capTargets(all, 1).corpora) expect(Math.abs(pairs.length - 500)).toBeLessThan(100);
  });

  it('are capped by whole numbers', () => {
    for (const most of [0, 1.5, Number.NaN]) expect(() => capTargets([], most)).toThrow(/cap of targets/);
    expect(repeatedTargets([])).toBe(0);
  });
});
