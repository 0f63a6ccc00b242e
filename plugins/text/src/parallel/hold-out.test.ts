import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { holdOut, wordsOf } from './hold-out.js';
import type { Pair } from './pair.js';

const pairs: readonly Pair[] = Array.from({ length: 2000 }, (_, i) => ({
  source: `Message ${i % 1500}.`,
  target: `${i}`,
}));

describe('holding out', () => {
  it('keeps every message on one side, whatever its case, punctuation, place and language', () => {
    const parts = holdOut(pairs, { validation: 0.1, test: 0.1 });
    const sideOf = new Map<string, string>();
    for (const [side, held] of Object.entries(parts))
      for (const { source } of held) {
        expect(sideOf.get(source) ?? side).toBe(side);
        sideOf.set(source, side);
      }
    const other = pairs.toReversed().map(({ source }) => ({
      source: 'anything',
      target: source.toUpperCase().replace('.', ' !'),
      key: source.toUpperCase().replace('.', ' !'),
    }));
    for (const [side, held] of Object.entries(holdOut(other, { validation: 0.1, test: 0.1 })))
      for (const { key } of held) {
        const number = /\d+/.exec(key!)![0];
        expect(sideOf.get(`Message ${number}.`)).toBe(side);
      }
  });

  it('gives about the shares asked for, and every pair to one part', () => {
    const { train, validation, test } = holdOut(pairs, { validation: 0.1, test: 0.2, seed: 3 });
    expect(train.length + validation.length + test.length).toBe(2000);
    // Binomial with 1500 messages: five standard deviations are 0.04 and 0.05.
    expect(Math.abs(validation.length / 2000 - 0.1)).toBeLessThan(0.05);
    expect(Math.abs(test.length / 2000 - 0.2)).toBeLessThan(0.06);
  });

  it('refuses impossible shares and empty parts', () => {
    expect(() => holdOut(pairs, { validation: 0.6, test: 0.4 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    expect(() => holdOut(pairs, { test: -1 })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    expect(() => holdOut(pairs.slice(0, 2), { test: 1e-6 })).toThrow(expect.objectContaining({ code: 'E_EMPTY' }));
  });
});

it('words are what is left without case and signs', () => {
  expect(wordsOf('Öffne  „die“ ﬁle, 1!')).toBe('öffne die file 1');
  expect(wordsOf('…')).toBe('…');
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), text => {
      expect(wordsOf(wordsOf(text))).toBe(wordsOf(text));
    }),
  );
});
