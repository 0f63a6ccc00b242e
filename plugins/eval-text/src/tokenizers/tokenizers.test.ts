import fc from 'fast-check';
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sacrebleu } from '../testing/sacrebleu.js';
import { trimEnd } from '../text/whitespace.js';
import { builtin } from './builtin.js';
import { tokenizerOf } from './index.js';
import { optionalTokenizers } from './optional.js';
import { sentencePiece } from './sentencepiece.js';
import { tercom } from './tercom.js';
import { words } from '../text/whitespace.js';
import { western, westernTokens } from './western.js';

const tokenizers: Readonly<Record<string, (line: string) => string>> = {
  ...Object.fromEntries(Object.entries(builtin).map(([name, { tokenize }]) => [name, tokenize])),
  ter: tercom().tokenize,
  'ter-normalized': tercom({ normalized: true }).tokenize,
  'ter-asian': tercom({ normalized: true, asianSupport: true }).tokenize,
  'ter-bare': tercom({ noPunctuation: true, asianSupport: true }).tokenize,
  'ter-cased': tercom({ caseSensitive: true }).tokenize,
};

describe("tokenisers beside sacreBLEU's", () => {
  it.each(Object.entries(sacrebleu.tokenized))('%s', (name, expected) => {
    expect(sacrebleu.texts.map(text => tokenizers[name]!(trimEnd(text)))).toEqual(expected);
  });

  it('are refused by name when there is none of it', () => {
    expect(() => tokenizerOf('14a')).toThrow(/E_UNKNOWN|expected none, 13a, intl, char, zh/);
    expect(() => tokenizerOf('toString')).toThrow('expected none, 13a');
  });

  it('keep every letter and digit, in order', () => {
    const bare = (text: string): string => text.replace(/[^\p{L}\p{N}]/gu, '');
    fc.assert(
      fc.property(
        fc.string({
          unit: fc.constantFrom('a', 'É', '5', '.', ',', '-', ' ', '「', '织', "'", '…', '🧵'),
          maxLength: 30,
        }),
        text => {
          for (const { tokenize } of Object.values(builtin)) expect(bare(tokenize(text))).toBe(bare(text));
        },
      ),
    );
  });
});

describe('the rules of 13a', () => {
  it('in one pass are those applied one after the other', () => {
    const text = fc.string({ unit: fc.constantFrom(...'a5.,-  $\'"()/é织\u00a0\x1c_~@A['), maxLength: 14 });
    fc.assert(
      fc.property(text, x => {
        expect(westernTokens(x, true)).toEqual(words(western(` ${x} `)));
        expect(westernTokens(x, false)).toEqual(words(western(x)));
      }),
      { numRuns: 5000 },
    );
    for (let code = 0; code < 0x100; code++) {
      const x = `a${String.fromCharCode(code)}5${String.fromCharCode(code)}`;
      expect(westernTokens(x, true), x).toEqual(words(western(` ${x} `)));
    }
  });
});

describe('optional tokenisers', () => {
  it('say what they need', async () => {
    expect(optionalTokenizers.map(({ name }) => name)).toEqual([
      'ja-mecab',
      'ko-mecab',
      'spm',
      'flores101',
      'flores200',
      'spBLEU-1K',
    ]);
    for (const { needs } of optionalTokenizers) expect(needs.length).toBeGreaterThan(20);
    const offer = optionalTokenizers.find(({ name }) => name === 'flores200')!;
    await expect(offer.open(null)).rejects.toMatchObject({ code: 'E_UNAVAILABLE' });
    await expect(offer.open('/nowhere/at.model')).rejects.toMatchObject({ code: 'E_UNAVAILABLE' });
    await expect(optionalTokenizers[0]!.open('no-such-program-as-this')).rejects.toMatchObject({
      code: 'E_UNAVAILABLE',
    });
  });

  it('refuse bytes that are no model', () => {
    expect(() => sentencePiece(new Uint8Array(0), 'x')).toThrow('expected a SentencePiece model');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), bytes => {
        try {
          sentencePiece(bytes, 'x').tokenize('warp and weft');
        } catch (error) {
          expect((error as { code?: string }).code).toBe('E_TOKENIZER');
        }
      }),
    );
  });
});

const tokenized = new URL('../../../../../shared/golden/tokenizers/', import.meta.url);

describe.each([
  ['spm-unigram-1k', 'test_model.model'],
  ['spm-unigram-ende-2000', 'model.model'],
])('SentencePiece model %s', (name, file) => {
  const folder = new URL(`${name}/`, tokenized);
  it.skipIf(!existsSync(new URL(file, folder)))(
    'cuts as SentencePiece (skipped where ../shared/golden/tokenizers is not there)',
    () => {
      const read = JSON.parse(readFileSync(new URL('pieces.json', folder), 'utf8')) as
        | [string, number, string][]
        | { pieces: [string, number, string][] };
      const pieces = Array.isArray(read) ? read : read.pieces;
      const ids = new Map(pieces.map(([piece], id) => [piece, id]));
      const unknown = pieces.findIndex(([, , kind]) => kind === 'unknown');
      const { tokenize } = sentencePiece(readFileSync(new URL(file, folder)), name);
      const rows = readFileSync(new URL('golden.public.jsonl', folder), 'utf8')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as { text: string; ids: number[] });
      expect(rows.length).toBeGreaterThan(100);
      for (const { text, ids: expected } of rows)
        expect(
          tokenize(text)
            .split(' ')
            .filter(Boolean)
            .map(piece => ids.get(piece) ?? unknown),
          text,
        ).toEqual(expected);
    },
  );
});
