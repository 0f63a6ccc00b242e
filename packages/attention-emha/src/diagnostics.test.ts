import { evaluate, host } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { headCosines, headSimilarity } from './diagnostics.js';

describe('headSimilarity', () => {
  it('is 1 for heads that look at the same, 0 for heads that share no token', () => {
    const same = host(
      [2, 3, 1, 2],
      Array.from({ length: 12 }, (_, i) => [0.75, 0.25][i % 2]!),
    );
    const apart = host([1, 2, 2, 2], [1, 0, 0, 1, 0, 1, 1, 0]);
    expect(evaluate(headSimilarity, same).data[0]).toBeCloseTo(1, 6);
    expect(evaluate(headSimilarity, apart).data[0]).toBeCloseTo(0, 6);
    expect(evaluate(headSimilarity, host([1, 1, 1, 2], [0.5, 0.5])).data[0]).toBe(1);
  });

  it('is the mean over pairs of heads, and over the batch', () => {
    // Heads 0 and 1 agree in the first text and are apart in the second; head 2 is between them.
    const half = Math.SQRT1_2;
    const maps = host([2, 3, 1, 2], [1, 0, 1, 0, half, half, 1, 0, 0, 1, half, half]);
    const cosines = evaluate(headCosines, maps);
    expect(cosines.shape).toEqual([3, 3]);
    [1, 0.5, half, 0.5, 1, half, half, half, 1].forEach((x, i) => expect(cosines.data[i]).toBeCloseTo(x, 6));
    expect(evaluate(headSimilarity, maps).data[0]).toBeCloseTo((0.5 + 2 * half) / 3, 6);
  });
});
