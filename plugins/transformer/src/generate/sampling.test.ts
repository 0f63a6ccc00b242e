import fc from 'fast-check';
import { uniforms } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { exponential } from './exponential.js';
import { chooseToken, sampling, strongest, uniformAt, type SamplingOptions } from './sampling.js';

const peakOf = (logits: Float32Array): number => Math.max(...logits);
const softmaxOf = (logits: Float32Array, temperature = 1): number[] => {
  const weights = Array.from(logits, x => Math.exp((x - peakOf(logits)) / temperature));
  const total = weights.reduce((a, b) => a + b);
  return weights.map(w => w / total);
};
/** Frequencies of 20,000 draws at 20,000 positions. */
const frequencies = (logits: Float32Array, options: SamplingOptions, draws = 20_000): number[] => {
  const counts = new Array<number>(logits.length).fill(0);
  for (let n = 0; n < draws; n++) counts[chooseToken(logits, peakOf(logits), sampling(options), uniformAt(1, 2, n))]!++;
  return counts.map(c => c / draws);
};
/** Four standard deviations of a frequency. */
const expectClose = (found: readonly number[], expected: readonly number[], draws = 20_000): void =>
  expected.forEach((p, i) => expect(Math.abs(found[i]! - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / draws)));

const logits = Float32Array.of(1, -0.5, 2, 0.25, -3, 2, 0);

describe('chooseToken', () => {
  it.each([1, 0.5, 3])('draws with the frequencies of a softmax at temperature %d', temperature => {
    expectClose(frequencies(logits, { temperature }), softmaxOf(logits, temperature));
  });

  it('takes the first of the likeliest at temperature 0, and with topK 1', () => {
    expect(chooseToken(logits, 2, sampling({ temperature: 0 }), 0.99)).toBe(2);
    expect(chooseToken(logits, 2, sampling({ topK: 1 }), 0.99)).toBe(2);
  });

  it('keeps the k likeliest', () => {
    const p = softmaxOf(logits);
    const kept = p[2]! + p[5]! + p[0]!;
    expectClose(
      frequencies(logits, { topK: 3 }),
      p.map((x, i) => ([2, 5, 0].includes(i) ? x / kept : 0)),
    );
  });

  it('keeps the fewest that hold the share', () => {
    const p = softmaxOf(logits); // 0.36, 0.36, 0.13, 0.06, 0.05, 0.03, 0.002
    const found = frequencies(logits, { topP: 0.8 });
    expectClose(
      found,
      p.map((x, i) => ([2, 5, 0].includes(i) ? x / (p[2]! + p[5]! + p[0]!) : 0)),
    );
    expect(frequencies(logits, { topP: 1e-9 })[2]).toBe(1);
  });

  it('applies the share to what topK leaves', () => {
    // Of tokens 2, 5 and 0 the first two hold 0.84.
    const found = frequencies(logits, { topK: 3, topP: 0.83 });
    expect(found.map(f => f > 0)).toEqual([false, false, true, false, false, true, false]);
  });

  it('agrees with sorting everything, for many vocabularies and shares', () => {
    const draw = uniforms(3, 3);
    for (let trial = 0; trial < 300; trial++) {
      const V = 2 + Math.floor(draw() * 200);
      const wide = Float32Array.from({ length: V }, () => (draw() - 0.5) * 10 ** (3 * draw() - 1));
      const options = sampling({
        temperature: 0.1 + 3 * draw(),
        topP: draw() || 1,
        ...(draw() < 0.5 ? { topK: 1 + Math.floor(draw() * V) } : {}),
      });
      const p = softmaxOf(wide, options.temperature);
      const sorted = p
        .map((_, i) => i)
        .sort((a, b) => wide[b]! - wide[a]! || a - b)
        .slice(0, Math.min(V, options.topK));
      const all = sorted.reduce((s, i) => s + p[i]!, 0);
      let held = 0;
      const kept = sorted.filter(i => {
        const before = held;
        held += p[i]!;
        return before < options.topP * all * (1 - 1e-12);
      });
      const seen = new Set(
        Array.from({ length: 50 }, (_, n) => chooseToken(wide, peakOf(wide), options, (n + 0.5) / 50)),
      );
      for (const id of seen) expect(kept).toContain(id);
      expect(chooseToken(wide, peakOf(wide), options, 0)).toBe(options.topK >= V && options.topP === 1 ? 0 : kept[0]);
    }
  });

  it('copes with hidden tokens and a hot or cold temperature', () => {
    const masked = Float32Array.of(-Infinity, 3, -Infinity, 3.5);
    for (const temperature of [1e-30, 1, 1e30]) {
      for (const topP of [0.5, 1]) {
        const id = chooseToken(masked, 3.5, sampling({ temperature, topP }), 0.999999);
        expect([1, 3]).toContain(id);
      }
    }
  });

  it.each<[SamplingOptions, string]>([
    [{ temperature: -1 }, 'temperature'],
    [{ temperature: NaN }, 'temperature'],
    [{ topK: 0 }, 'topK'],
    [{ topK: 1.5 }, 'topK'],
    [{ topP: 0 }, 'topP'],
    [{ topP: 1.1 }, 'topP'],
  ])('refuses %o', (options, name) => {
    expect(() => sampling(options)).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(name) as string }),
    );
  });
});

describe('uniformAt', () => {
  it('depends on seed, row and position, and on nothing else', () => {
    const draws = [
      uniformAt(1, 2, 3),
      uniformAt(2, 2, 3),
      uniformAt(1, 3, 3),
      uniformAt(1, 2, 4),
      uniformAt(1 + 2 ** 32, 2, 3),
      uniformAt(1, 2 + 2 ** 32, 3),
    ];
    expect(new Set(draws).size).toBe(draws.length);
    expect(uniformAt(1, 2, 3)).toBe(draws[0]);
  });
});

describe('exponential', () => {
  it('agrees with Math.exp', () => {
    for (let x = 0; x > -744; x -= 0.0371)
      expect(Math.abs(exponential(x) / Math.exp(x) - 1)).toBeLessThan(x > -700 ? 1e-12 : 1);
    expect([exponential(0), exponential(-1e6), exponential(-Infinity), exponential(NaN)]).toEqual([1, 0, 0, 0]);
  });
});

it('the strongest are those that sorting would put first, with equals by their ids', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-Infinity)), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1, max: 45 }),
      (numbers, count) => {
        const logits = Float32Array.from(numbers);
        const sorted = numbers
          .map((_, id) => id)
          .toSorted((a, b) => (logits[a] === logits[b] ? a - b : logits[b]! - logits[a]!));
        expect(strongest(logits, count)).toEqual(sorted.slice(0, count));
      },
    ),
  );
});
