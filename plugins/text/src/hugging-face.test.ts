import fc from 'fast-check';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelBytes } from '../fixtures/model-bytes.js';
import { byteLetters } from './bpe-gpt2.js';
import { trainBpe } from './bpe-train.js';
import { huggingFaceTokenizer } from './hugging-face.js';
import { tokenizerFrom } from './tokenizer-from.js';
import { readTokenizer } from './tokenizer.node.js';

const own = trainBpe(['the warp and the weft and the heddle, warped wefts'], {
  vocabularySize: 290,
  specials: ['<eos>'],
});

/** The same vocabulary as Hugging Face writes it. */
const json = (() => {
  const merges = own.toJSON()['merges'] as readonly (readonly [number, number, number])[];
  const names = new Map(byteLetters.map((letter, byte) => [byte, letter]));
  for (const [left, right, result] of merges) names.set(result, names.get(left)! + names.get(right)!);
  return {
    version: '1.0',
    added_tokens: [
      { id: 256, content: '<eos>', special: true, normalized: false, single_word: false, lstrip: false, rstrip: false },
    ],
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel' },
    model: {
      type: 'BPE',
      vocab: Object.fromEntries([...names].map(([id, name]) => [name, id])),
      merges: merges.map(([left, right]) => `${names.get(left)!} ${names.get(right)!}`),
    },
  };
})();

const tokenizer = huggingFaceTokenizer(json);
const texts = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.array(fc.constantFrom('the', ' warp', 'ed ', '<eos>', "'s", '\n', '😀', ' 12')).map(list => list.join('')),
);

describe('tokenizer.json', () => {
  it('gives the ids of our own BPE on the same vocabulary', () => {
    fc.assert(
      fc.property(texts, fc.boolean(), (text, specials) => {
        const ids = tokenizer.encode(text, { specials });
        expect(ids).toEqual(own.encode(text, { specials }));
        expect(tokenizer.decode(ids, { specials: true })).toBe(own.decode(ids, { specials: true }));
      }),
    );
    expect(tokenizer.vocabularySize).toBe(own.vocabularySize);
    expect({ ...tokenizer.specials }).toEqual({ '<eos>': 256 });
  });

  it('shows text as it comes', () => {
    fc.assert(
      fc.property(texts, text => {
        const decoder = tokenizer.decoder();
        const shown = [...tokenizer.encode(text)].map(id => decoder.push(id));
        expect(shown.join('') + decoder.end()).toBe(tokenizer.decode(tokenizer.encode(text)));
      }),
    );
    const decoder = tokenizer.decoder();
    expect([...new TextEncoder().encode('é!')].map(byte => decoder.push(byte))).toEqual(['', 'é', '!']);
  });

  it('cuts by patterns as they are meant: classes within classes, and a backslash before a G', () => {
    const cut = (Regex: string) =>
      huggingFaceTokenizer({
        ...json,
        pre_tokenizer: {
          type: 'Sequence',
          pretokenizers: [
            { type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false },
            { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
          ],
        },
      }).encode('the').length;
    const whole = own.encode('the').length;
    expect(cut('x')).toBe(whole);
    expect(cut('h')).toBe(3);
    expect(cut('[a-z&&[h]]')).toBe(3);
    expect(cut('[h&&[x]]')).toBe(whole);
    expect(cut('\\\\G')).toBe(whole);
  });

  it('knows its unknown token', () => {
    const words = {
      added_tokens: [],
      pre_tokenizer: { type: 'Whitespace' },
      model: { type: 'WordLevel', vocab: { '[UNK]': 0, warp: 1 }, unk_token: '[UNK]' },
    };
    const byWord = huggingFaceTokenizer(words);
    expect(byWord.unknown).toBe(0);
    expect([...byWord.encode('warp weft')]).toEqual([1, 0]);
  });

  it('ids outside the vocabulary are refused', () => {
    expect(() => tokenizer.decode([0, own.vocabularySize])).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
    expect(() => tokenizer.decoder().push(-1)).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
  });

  it.each([
    [null, 'object'],
    [{}, 'fields none'],
    [{ model: {}, added_tokens: [] }, 'parts that'],
    [{ ...json, pre_tokenizer: { type: 'Odd' } }, 'parts that'],
    [{ ...json, pre_tokenizer: { type: 'Split', pattern: { Regex: '\\Ga' } } }, 'patterns that'],
    [{ ...json, normalizer: { normalizers: [{ type: 'Replace', pattern: { Regex: '\\\\\\Gb' } }] } }, 'patterns that'],
  ])('%j is refused', (given, words) => {
    expect(() => huggingFaceTokenizer(given, { where: 'x.json' })).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringMatching(`^x.json: .*${words}`) }),
    );
  });
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heddle-hf-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('readTokenizer takes tokenizer.json, what we save of it, and SentencePiece models', async () => {
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(json));
    await writeFile(join(folder, 'tokenizer_config.json'), '{"clean_up_tokenization_spaces":true}');
    const read = await readTokenizer(join(folder, 'tokenizer.json'));
    expect(read.decode(read.encode('warp !'))).toBe('warp!'); // what the file beside it asks for
    const again = tokenizerFrom(JSON.parse(JSON.stringify(read)));
    expect(again.decode(again.encode('warp !'))).toBe('warp!');

    await writeFile(
      join(folder, 'my.model'),
      modelBytes({
        pieces: [
          ['<unk>', 0, 2],
          ['▁a', -1],
        ],
      }),
    );
    expect([...(await readTokenizer(join(folder, 'my.model'))).encode('a')]).toEqual([1]);
    await writeFile(join(folder, 'bad.model'), 'text');
    await expect(readTokenizer(join(folder, 'bad.model'))).rejects.toMatchObject({ code: 'E_TOKENIZER' });
    await expect(readTokenizer(join(folder, 'none.model'))).rejects.toMatchObject({ code: 'E_IO' });
  });
});
