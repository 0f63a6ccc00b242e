import { expect, it } from 'vitest';
import { filterPairs } from './filter.js';
import type { Pair } from './pair.js';

const reading = (...pairs: readonly (readonly [string, string])[]) => ({
  pairs: pairs.map(([source, target]): Pair => ({ source, target })),
  seen: pairs.length + 1,
  dropped: [{ reason: 'empty', count: 1, first: 'a line 1' }],
});
const kept = (pairs: readonly Pair[]) => pairs.map(({ source, target }) => `${source}${target}`);

it('duplicates go, of sources with several targets the most frequent stays', () => {
  const given = reading(['a', 'x'], ['a', 'y'], ['a', 'y'], ['b', 'x'], ['a', 'x'], ['a', 'y']);
  expect(kept(filterPairs(given, { duplicates: 'keep' }).pairs)).toHaveLength(6);
  expect(kept(filterPairs(given).pairs)).toEqual(['ax', 'ay', 'bx']);
  const { pairs, seen, dropped } = filterPairs(given, { duplicates: 'source' });
  expect(kept(pairs)).toEqual(['ay', 'bx']);
  expect(dropped).toEqual([
    { reason: 'another translation of the same source', count: 2, first: 'pair 1' },
    { reason: 'duplicate', count: 2, first: 'pair 3' },
    { reason: 'empty', count: 1, first: 'a line 1' },
  ]);
  expect(seen).toBe(pairs.length + dropped.reduce((sum, { count }) => sum + count, 0));
});

it('long and lopsided pairs go', () => {
  const given = reading(['a', 'b'], ['a'.repeat(50), 'b'.repeat(5)], ['a'.repeat(101), 'b'.repeat(90)]);
  const { pairs, dropped } = filterPairs(given, { longest: 100, ratio: 3 });
  expect(pairs).toHaveLength(1);
  expect(dropped.map(({ reason }) => reason).sort()).toEqual(['empty', 'lengths far apart', 'over 100 characters']);
  expect(() => filterPairs(given, { ratio: 0 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
});
