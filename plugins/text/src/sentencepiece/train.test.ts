import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { forEachChunk } from './chunks.js';
import { sentencePieceFromModel } from './model-file.js';
import { trainUnigram } from './train.js';
import type { Tokenizer } from '../tokenizer.js';

const text = 'the warp and the weft, the warped wefts and the heddle of 1823. ';
const piecesOf = (tokenizer: Tokenizer): readonly (readonly unknown[])[] =>
  tokenizer.toJSON()['pieces'] as readonly (readonly unknown[])[];

describe('training a unigram vocabulary', () => {
  it('makes frequent words one token and gives every text back', () => {
    const tokenizer = trainUnigram(
      Array.from({ length: 20 }, () => text),
      { vocabularySize: 320 },
    );
    expect(tokenizer.vocabularySize).toBeLessThanOrEqual(320);
    expect(tokenizer.encode('the').length).toBe(1);
    expect({ ...tokenizer.specials }).toEqual({ '<bos>': 1, '<eos>': 2, '<pad>': 3 });
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), given => {
        const own = given.replaceAll('▁', '');
        expect(tokenizer.decode(tokenizer.encode(own))).toBe(own);
      }),
    );
  });

  it('does not depend on the order of the texts', () => {
    const words = text.split(' ');
    fc.assert(
      fc.property(fc.shuffledSubarray(words, { minLength: words.length }), shuffled => {
        expect(trainUnigram(shuffled, { vocabularySize: 300 }).toJSON()).toEqual(
          trainUnigram(words, { vocabularySize: 300 }).toJSON(),
        );
      }),
      { numRuns: 10 },
    );
  });

  it('probabilities are probabilities, and no piece spans two chunks', () => {
    const tokenizer = trainUnigram([text.repeat(5)], { vocabularySize: 64, byteFallback: false });
    const normal = piecesOf(tokenizer).filter(piece => piece.length === 2) as (readonly [string, number])[];
    const sum = normal.reduce((total, [, score]) => total + Math.exp(score), 0);
    expect(sum).toBeGreaterThan(0.8);
    expect(sum).toBeLessThanOrEqual(1.0001);
    for (const [piece] of normal) {
      const chunks: string[] = [];
      forEachChunk(piece, chunk => chunks.push(chunk));
      expect(chunks).toEqual([piece]);
    }
  });

  it('leaves rare characters to bytes, or to the unknown piece', () => {
    const texts = ['abab '.repeat(3000), 'é'];
    const withBytes = trainUnigram(texts, { vocabularySize: 270 });
    expect(withBytes.encode('é').length).toBe(3); // the space before, and two bytes
    const without = trainUnigram(texts, { vocabularySize: 20, byteFallback: false, coverage: 0.999 });
    expect([...without.encode('é')]).toContain(without.unknown);
  });

  it.each([
    [{ vocabularySize: 259 }, 'E_TOKENIZER'],
    [{ vocabularySize: 2 ** 22 }, 'E_TOKENIZER'],
    [{ vocabularySize: 300, specials: ['<eos>', '<eos>'] }, 'E_TOKENIZER'],
    [{ vocabularySize: 300, coverage: 0 }, 'E_OPTION'],
    [{ vocabularySize: 300, longest: 0 }, 'E_OPTION'],
  ])('%j is refused', (options, code) => {
    expect(() => trainUnigram([text], options)).toThrow(expect.objectContaining({ code }));
  });
});

it('chunks put together are the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), given => {
      let joined = '';
      forEachChunk(given, chunk => (joined += chunk));
      expect(joined).toBe(given);
    }),
  );
  const chunks: string[] = [];
  forEachChunk("▁don't▁▁12ab漢字かな▁α", chunk => chunks.push(chunk));
  expect(chunks).toEqual(['▁don', "'", 't', '▁', '▁12', 'ab', '漢字かな', '▁α']);
});

const shared = fileURLToPath(new URL('../../../../../shared/', import.meta.url));
it.skipIf(!existsSync(`${shared}golden/tokenizers`))(
  "is as good as SentencePiece's own trainer on the same text (skipped where ../shared is not there)",
  { timeout: 60_000 },
  () => {
    const rows = (name: string): string[][] =>
      readFileSync(`${shared}data/mt/multi30k/${name}.en-de-fr-cs.tsv`, 'utf8')
        .trimEnd()
        .split('\n')
        .slice(1)
        .map(row => row.split('\t'));
    const lines = rows('train').slice(0, 6000);
    const own = trainUnigram([...lines.map(([en]) => en!), ...lines.map(([, de]) => de!)], {
      vocabularySize: 2000,
      byteFallback: false,
      specials: ['<s>', '</s>', '<pad>'],
    });
    const theirs = sentencePieceFromModel(readFileSync(`${shared}golden/tokenizers/spm-unigram-ende-2000/model.model`));
    const names = new Set(piecesOf(theirs).map(([piece]) => piece));
    expect(own.vocabularySize).toBe(2000);
    expect(piecesOf(own).filter(([piece]) => names.has(piece)).length).toBeGreaterThan(1500);
    const tokens = (tokenizer: Tokenizer): number =>
      rows('val').reduce((sum, [en, de]) => sum + tokenizer.encode(en!).length + tokenizer.encode(de!).length, 0);
    expect(tokens(own)).toBeLessThanOrEqual(tokens(theirs));
  },
);
