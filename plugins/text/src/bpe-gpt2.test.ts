import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bpeFromGpt2, byteLetters } from './bpe-gpt2.js';
import { tokenizerFrom } from './tokenizer-from.js';

const golden = new URL('../../../../shared/golden/tokenizers/gpt2/', import.meta.url); // beside the repository
const here = existsSync(new URL('vocab.json', golden));
const read = (name: string): string => readFileSync(new URL(name, golden), 'utf8');

interface Row {
  readonly id: string;
  readonly text: string;
  readonly ids: readonly number[];
  readonly decoded?: string;
}

describe.skipIf(!here)(
  `GPT-2's own vocabulary${here ? '' : ' (skipped: no ../shared/golden beside the repository)'}`,
  () => {
    const load = () => bpeFromGpt2({ vocabulary: JSON.parse(read('vocab.json')), merges: read('merges.txt') });

    it('gives the ids that GPT-2 gives, and the text back', () => {
      const tokenizer = load();
      expect(tokenizer.vocabularySize).toBe(50_257);
      const rows = read('golden.public.jsonl')
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Row);
      expect(rows.length).toBeGreaterThan(200);
      for (const { id, text, ids, decoded } of rows) {
        expect([...tokenizer.encode(text, { specials: true })], id).toEqual(ids);
        if (decoded !== undefined) expect(tokenizer.decode(ids, { specials: true }), id).toBe(decoded);
      }
    });

    it('keeps its ids through our own format', () => {
      const tokenizer = load();
      const again = tokenizerFrom(JSON.parse(JSON.stringify(tokenizer)));
      const text = 'Heddles lift the warp<|endoftext|>.';
      expect([...again.encode(text, { specials: true })]).toEqual([...tokenizer.encode(text, { specials: true })]);
    });
  },
);

describe('a vocab.json and merges.txt', () => {
  const vocabulary: Record<string, number> = Object.fromEntries(byteLetters.map((letter, byte) => [letter, byte]));
  const pair = { vocabulary: { ...vocabulary, ab: 256, '<|endoftext|>': 257 }, merges: '#version: 0.2\na b\n' };

  it('are read', () => {
    const tokenizer = bpeFromGpt2(pair);
    expect([...tokenizer.encode('ab a\n')]).toEqual([256, 32, 97, 10]);
    expect({ ...tokenizer.specials }).toEqual({ '<|endoftext|>': 257 });
  });

  it.each([
    ['no object', { ...pair, vocabulary: ['a'] }, 'a list'],
    ['no bytes', { ...pair, vocabulary: { ab: 0 } }, 'byte 0'],
    ['a line of three', { ...pair, merges: 'a b c' }, 'line 1'],
    ['a line of one', { ...pair, merges: '#version\na b\nab' }, 'line 3'],
    ['an unknown result', { ...pair, merges: 'a b\nb a' }, "'ba'"],
    ['an entry without a merge', { ...pair, merges: '' }, "'ab'"],
    ['an id that is no number', { ...pair, vocabulary: { ...pair.vocabulary, ab: '256' } }, '256'],
    ['an unknown special', { ...pair, specials: ['<s>'] }, "'<s>'"],
  ] as const)('are refused: %s', (_, files, named) => {
    expect(() => bpeFromGpt2(files)).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringContaining(named) as string }),
    );
  });
});
