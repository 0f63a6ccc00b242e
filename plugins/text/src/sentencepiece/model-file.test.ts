import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { modelBytes } from '../../fixtures/model-bytes.js';
import { sentencePieceFromModel } from './model-file.js';

const pieces = [
  ['<unk>', 0, 2],
  ['<s>', 0, 3],
  ['▁', -2],
  ['▁warp', -1.5],
  ['w', -3],
  ['a', -3],
  ['<own>', 0, 4],
] as const;

describe('a SentencePiece model', () => {
  it('is read from its file', () => {
    const tokenizer = sentencePieceFromModel(modelBytes({ pieces }));
    expect(tokenizer.vocabularySize).toBe(7);
    expect({ ...tokenizer.specials }).toEqual({ '<s>': 1 });
    expect(tokenizer.unknown).toBe(0);
    expect([...tokenizer.encode('  warp  wa<own>xyz ')]).toEqual([3, 2, 4, 5, 6, 0]);
    expect(tokenizer.decode([1, 3, 2, 4, 0])).toBe('warp w \u2047 ');
  });

  it.each([
    ['nothing', new Uint8Array(0), 'an empty file'],
    ['a text', new TextEncoder().encode('hello'), 'received'],
    ['words', modelBytes({ pieces, kind: 3 }), 'words'],
    ['two of one text', modelBytes({ pieces: [...pieces, ['a', -4]] }), "'a' again"],
    ['no unknown piece', modelBytes({ pieces: pieces.slice(1) }), 'one unknown piece, received 0'],
    ['fallback without bytes', modelBytes({ pieces, byteFallback: true }), 'received 0'],
    ['a score that is none', modelBytes({ pieces: [...pieces, ['b', Number.NaN]] }), 'finite'],
    ['a piece of an unknown kind', modelBytes({ pieces: [...pieces, ['b', 0, 9]] }), 'piece 7'],
  ])('%s is refused', (_, bytes, words) => {
    expect(() => sentencePieceFromModel(bytes, 'my.model')).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringMatching(`^my.model: .*${words}`) }),
    );
  });

  it('damage is refused by its code, or harmless', () => {
    const whole = modelBytes({ pieces, charsMap: Uint8Array.from({ length: 64 }, (_, i) => (i * 37) % 256) });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(whole.length),
        fc.string({ unit: 'grapheme' }),
        (changes, length, text) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          try {
            const tokenizer = sentencePieceFromModel(bytes.subarray(0, length));
            for (const id of tokenizer.encode(text)) expect(id).toBeLessThan(tokenizer.vocabularySize);
          } catch (error) {
            if (!isHeddleError(error)) throw error;
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  const golden = fileURLToPath(new URL('../../../../../shared/golden/tokenizers/', import.meta.url));
  it.skipIf(!existsSync(golden)).each([
    ['spm-unigram-1k', 'test_model.model'],
    ['spm-bpe-en-1000', 'model.model'],
  ])('%s has the pieces that the reference reads (skipped where ../shared/golden is not there)', (folder, file) => {
    const json = sentencePieceFromModel(readFileSync(`${golden}${folder}/${file}`)).toJSON();
    const listed = JSON.parse(readFileSync(`${golden}${folder}/pieces.json`, 'utf8')) as unknown;
    const expected = (Array.isArray(listed) ? listed : (listed as { pieces: unknown }).pieces) as unknown[][];
    const found = (json['pieces'] as unknown[][]).map(([text, score, kind = 'normal']) => [text, score, kind]);
    expect(found).toEqual(expected.map(([text, score, kind]) => [text, score, kind]));
  });
});
