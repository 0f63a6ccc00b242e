import { describe, expect, it } from 'vitest';
import { longestCachedWord, wordCache } from './word-cache.js';

describe('word cache', () => {
  it('stays within its capacity and keeps what is used', () => {
    const cache = wordCache<number>(8);
    for (let word = 0; word < 1000; word++) {
      cache.set(`w${word}`, word);
      expect(cache.size).toBeLessThanOrEqual(8);
      expect(cache.get('w0')).toBe(0); // asked for each time, so never dropped
    }
    expect(cache.get('w5')).toBeUndefined();
  });

  it('does not remember long words', () => {
    const cache = wordCache<number>();
    cache.set('a'.repeat(longestCachedWord + 1), 1);
    expect(cache.size).toBe(0);
  });
});
