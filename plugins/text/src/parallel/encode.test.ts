import { describe, expect, it } from 'vitest';
import { trainBpe } from '../bpe-train.js';
import { byteTokenizer } from '../byte.js';
import { trainUnigram } from '../sentencepiece/train.js';
import { encodePairs, languageTag, sourceIds } from './encode.js';

const tokenizer = byteTokenizer({ specials: ['<bos>', '<eos>', '<pad>', '<2de>'] });
const pairs = [
  { source: 'warp', target: 'Kette', where: 'a.tsv line 1' },
  { source: 'a', target: 'a'.repeat(20), where: 'a.tsv line 2' },
];

describe('encoding pairs', () => {
  it('ends sources, and drops and counts what is too long', () => {
    const encoded = encodePairs(pairs, { tokenizer, longest: 20 });
    expect(tokenizer.decode(encoded.source, { specials: true })).toBe('warp<eos>');
    expect(tokenizer.decode(encoded.target, { specials: true })).toBe('Kette');
    expect([...encoded.sourceAt, ...encoded.targetAt, ...encoded.pair]).toEqual([0, 5, 0, 5, 0]);
    expect(encoded.dropped).toEqual([{ reason: 'over 20 tokens', count: 1, first: 'a.tsv line 2' }]);
    expect(encoded.ends).toEqual({ sourcePad: 258, begin: 256, end: 257, targetPad: 258 });
    expect(encodePairs(pairs, { tokenizer, longest: 21 }).count).toBe(2);
  });

  it('cuts, or refuses by file and line, where that is asked for', () => {
    const cut = encodePairs(pairs, { tokenizer, longest: 4, longer: 'cut' });
    expect(tokenizer.decode(cut.source, { specials: true })).toBe('war<eos>a<eos>');
    expect(tokenizer.decode(cut.target)).toBe('Ketaaa');
    expect(() => encodePairs(pairs, { tokenizer, longest: 20, longer: 'fail' })).toThrow(
      expect.objectContaining({ code: 'E_PAIRS', message: expect.stringMatching(/^a.tsv line 2: .*target.*20/) }),
    );
  });

  it('begins sources with the tag of a language', () => {
    const { source } = encodePairs(pairs, { tokenizer, language: 'de' });
    expect(tokenizer.decode(source.subarray(0, 2), { specials: true })).toBe(`${languageTag('de')}w`);
    expect([...sourceIds('warp', tokenizer, 'de'), ...sourceIds('a', tokenizer, 'de')]).toEqual([...source]);
    expect(() => sourceIds('warp', tokenizer, 'fr')).toThrow(expect.objectContaining({ code: 'E_LANGUAGE' }));
    expect(() => encodePairs(pairs, { tokenizer, language: 'fr' })).toThrow(
      expect.objectContaining({ code: 'E_LANGUAGE', message: expect.stringContaining('those of de') }),
    );
  });

  it('counts, drops or refuses what the tokeniser does not know', () => {
    const narrow = trainUnigram(['warp Kette a aaa'], { vocabularySize: 24, byteFallback: false });
    const strange = [...pairs, { source: 'weft ♞♞ ♞', target: 'Schuss' }];
    expect(encodePairs(pairs, { tokenizer: narrow }).unknown).toBe(0);
    const kept = encodePairs(strange, { tokenizer: narrow });
    expect([kept.count, kept.unknown > 0]).toEqual([3, true]);
    const dropped = encodePairs(strange, { tokenizer: narrow, unknown: 'drop' });
    expect([dropped.count, dropped.unknown, dropped.dropped]).toEqual([
      2,
      0,
      [{ reason: 'unknown characters', count: 1, first: 'pair 3' }],
    ]);
    expect(() => encodePairs(strange, { tokenizer: narrow, unknown: 'fail' })).toThrow(
      expect.objectContaining({ code: 'E_TOKEN', message: expect.stringMatching(/^pair 3: .*source.*weft/) }),
    );
  });

  it('refuses when nothing is left, and tokenisers without an end', () => {
    expect(() => encodePairs(pairs, { tokenizer, longest: 1 })).toThrow(
      expect.objectContaining({ code: 'E_EMPTY', message: expect.stringContaining('2 over 1 tokens') }),
    );
    expect(() => encodePairs(pairs, { tokenizer: trainBpe(['a'], { vocabularySize: 256, specials: [] }) })).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER' }),
    );
    expect(() => encodePairs(pairs, { tokenizer, longest: 0.5 })).toThrow(
      expect.objectContaining({ code: 'E_OPTION' }),
    );
  });
});
