import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainBpe } from './bpe-train.js';
import { forEachWord } from './words.js';

/** The definition: count everything anew after each merge. */
function slowMerges(texts: readonly string[], vocabularySize: number): number[][] {
  const words = new Map<string, number>();
  for (const text of texts) forEachWord(text, word => words.set(word, (words.get(word) ?? 0) + 1));
  let chains = [...words].map(([word, count]) => ({ symbols: [...new TextEncoder().encode(word)], count }));
  const spelled = new Map<string, number>();
  const spelling = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
  const merges: number[][] = [];
  while (spelling.length < vocabularySize) {
    const counts = new Map<string, number>();
    for (const { symbols, count } of chains) {
      for (let at = 0; at + 1 < symbols.length; at++) {
        const pair = `${symbols[at]} ${symbols[at + 1]}`;
        counts.set(pair, (counts.get(pair) ?? 0) + count);
      }
    }
    const [best] = [...counts]
      .filter(([, count]) => count >= 2)
      .map(([pair, count]) => [...pair.split(' ').map(Number), count] as [number, number, number])
      .sort((a, b) => b[2] - a[2] || a[0] - b[0] || a[1] - b[1]);
    if (!best) break;
    const [left, right] = best;
    const token = spelling[left]! + spelling[right]!;
    const result = spelled.get(token) ?? spelling.push(token) - 1;
    spelled.set(token, result);
    merges.push([left, right, result]);
    chains = chains.map(({ symbols, count }) => {
      const merged: number[] = [];
      for (let at = 0; at < symbols.length; at++) {
        const met = symbols[at] === left && symbols[at + 1] === right;
        merged.push(met ? result : symbols[at]!);
        if (met) at++;
      }
      return { symbols: merged, count };
    });
  }
  return merges;
}

const texts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', 'é'), maxLength: 60 }), { maxLength: 6 });

describe('training', () => {
  it('learns what the definition says, for any text', () => {
    fc.assert(
      fc.property(texts, corpus => {
        expect(trainBpe(corpus, { vocabularySize: 290, specials: [] }).toJSON().merges).toEqual(
          slowMerges(corpus, 290),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order of the texts', () => {
    fc.assert(
      fc.property(texts, corpus => {
        const options = { vocabularySize: 290 };
        expect(trainBpe([...corpus].reverse(), options).toJSON()).toEqual(trainBpe(corpus, options).toJSON());
      }),
    );
  });

  it('gives fewer tokens where the text has no more to merge', () => {
    const tokenizer = trainBpe(['abcabc'], { vocabularySize: 4000 });
    expect(tokenizer.vocabularySize).toBe(261); // 'ab', 'abc'; 'abcabc' occurs once
    expect(trainBpe([], { vocabularySize: 4000 }).vocabularySize).toBe(259);
  });

  it('refuses a vocabulary too small for bytes and specials', () => {
    for (const vocabularySize of [258, 0, Number.NaN, 300.5]) {
      expect(() => trainBpe(['a'], { vocabularySize })).toThrow(
        expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringContaining('259') as string }),
      );
    }
  });

  it('takes a run of one letter in its stride', { timeout: 20_000 }, () => {
    const run = 'a'.repeat(1_000_000);
    const started = performance.now();
    const tokenizer = trainBpe([run], { vocabularySize: 300 });
    expect(tokenizer.decode(tokenizer.encode(run))).toBe(run);
    expect(performance.now() - started).toBeLessThan(10_000); // about 1 s; quadratic time would be hours
  });
});
