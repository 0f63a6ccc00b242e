import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { tokenizerFrom } from '../tokenizer-from.js';
import { bytePiece } from './byte-pieces.js';
import type { Piece, SentencePieceParts } from './parts.js';
import { sentencePieceTokenizer } from './tokenizer.js';

const bytes: readonly Piece[] = Array.from({ length: 256 }, (_, byte) => ({
  text: bytePiece(byte),
  score: 0,
  kind: 'byte',
}));

function partsOf(
  texts: Readonly<Record<string, number>>,
  change: Partial<SentencePieceParts> = {},
): SentencePieceParts {
  return {
    algorithm: 'unigram',
    byteFallback: true,
    unknownText: ' \u2047 ',
    normalizer: {
      charsMap: new Uint8Array(0),
      dummyPrefix: true,
      removeExtraSpaces: false,
      escapeSpaces: true,
      spaceAsSuffix: false,
    },
    ...change,
    pieces: [
      { text: '<unk>', score: 0, kind: 'unknown' },
      { text: '<eos>', score: 0, kind: 'control' },
      ...(change.byteFallback === false ? [] : bytes),
      ...Object.entries(texts).map(([text, score]): Piece => ({ text, score: Math.fround(score), kind: 'normal' })),
    ],
  };
}

/** Texts over few letters, so that pieces overlap in many ways. */
const few = fc.array(fc.constantFrom('a', 'b', 'c', ' ', 'é'), { maxLength: 9 }).map(list => list.join(''));
const vocabulary = fc.dictionary(
  fc.array(fc.constantFrom('a', 'b', 'c', '▁', 'é'), { minLength: 1, maxLength: 3 }).map(list => list.join('')),
  fc.integer({ min: -40, max: -1 }).map(n => n / 4),
  { minKeys: 1, maxKeys: 12 },
);

/** Where no piece crosses words, another way is taken. */
const ofWords = vocabulary.map(texts =>
  Object.fromEntries(Object.entries(texts).filter(([text]) => !/[^▁]▁/.test(text))),
);

/** All ways to cut a text into pieces of the vocabulary or single characters. */
function* cuts(text: readonly string[], has: (piece: string) => boolean): Iterable<readonly string[]> {
  if (text.length === 0) return yield [];
  for (let n = 1; n <= text.length; n++) {
    const piece = text.slice(0, n).join('');
    if (n > 1 && !has(piece)) continue;
    for (const rest of cuts(text.slice(n), has)) yield [piece, ...rest];
  }
}

describe('unigram', () => {
  it('finds the likeliest of all cuts', () => {
    fc.assert(
      fc.property(few, vocabulary, (text, texts) => {
        const tokenizer = sentencePieceTokenizer(partsOf(texts, { byteFallback: false }));
        const lowest = Math.min(...Object.values(texts)) - 10;
        const scoreOf = (cut: readonly string[]): number =>
          cut.reduce((sum, piece) => sum + (Object.hasOwn(texts, piece) ? texts[piece]! : lowest), 0);
        const marked = [...`${text === '' ? '' : '▁'}${text.replaceAll(' ', '▁')}`];
        const best = Math.max(...[...cuts(marked, piece => Object.hasOwn(texts, piece))].map(scoreOf));
        const ids = [...tokenizer.encode(text)];
        // Neighbouring unknown characters are one piece: what the known ones score must fit some count of unknown ones.
        const known = ids.filter(id => id !== 0);
        const unknown = marked.length - known.reduce((n, id) => n + [...Object.keys(texts)[id - 2]!].length, 0);
        const score = known.reduce((sum, id) => sum + Object.values(texts)[id - 2]!, 0) + unknown * lowest;
        expect(score).toBeCloseTo(best, 4);
      }),
    );
  });
});

describe('bpe', () => {
  it('merges as rescanning for the best pair does', () => {
    fc.assert(
      fc.property(few, fc.oneof(vocabulary, ofWords), (text, texts) => {
        const tokenizer = sentencePieceTokenizer(partsOf(texts, { algorithm: 'bpe', byteFallback: false }));
        tokenizer.encode(`${text} ${text}`); // words that it remembers must not differ
        const symbols = [...`${text === '' ? '' : '▁'}${text.replaceAll(' ', '▁')}`];
        for (;;) {
          const pairs = symbols.slice(1).map((right, at) => texts[symbols[at]! + right] ?? -Infinity);
          const best = Math.max(-Infinity, ...pairs);
          if (best === -Infinity) break;
          const at = pairs.indexOf(best);
          symbols.splice(at, 2, symbols[at]! + symbols[at + 1]!);
        }
        const names = Object.keys(texts);
        const ids = symbols.map(symbol => names.indexOf(symbol) + 2 || 0).map(id => (id === 1 ? 0 : id));
        const joined = ids.filter((id, at) => id !== 0 || ids[at - 1] !== 0);
        expect([...tokenizer.encode(text)]).toEqual(joined);
      }),
    );
  });
});

describe('with bytes', () => {
  const tokenizer = sentencePieceTokenizer(partsOf({ '▁': -2, '▁warp': -1, weft: -2, a: -3 }));
  const anyText = fc.string({ unit: 'binary' }).map(text => text.replaceAll('▁', ''));

  it('gives back every text', () => {
    fc.assert(
      fc.property(anyText, text => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
      }),
    );
  });

  it('shows text as it comes, never half of a character', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(tokenizer.vocabularySize - 1)), ids => {
        const decoder = tokenizer.decoder({ specials: true });
        const shown = ids.map(id => decoder.push(id)).join('') + decoder.end();
        expect(shown).toBe(tokenizer.decode(ids, { specials: true }));
      }),
    );
    const decoder = tokenizer.decoder();
    const parts = [...tokenizer.encode('warp 😀é')].map(id => decoder.push(id));
    expect(parts.join('')).toBe('warp 😀é');
    expect(parts.join('')).not.toContain('\ufffd');
    expect(parts.filter(part => part !== '')).toEqual(['warp', ' ', '😀', 'é']);
  });

  it('is written to JSON and read back', () => {
    const again = tokenizerFrom(JSON.parse(JSON.stringify(tokenizer)));
    fc.assert(
      fc.property(anyText, text => {
        expect(again.encode(text)).toEqual(tokenizer.encode(text));
      }),
    );
    expect(again.toJSON()).toEqual(tokenizer.toJSON());
  });
});

describe('specials', () => {
  const tokenizer = sentencePieceTokenizer(partsOf({ '▁a': -1 }));

  it('come from text only when asked for', () => {
    expect([...tokenizer.encode('a<eos>a', { specials: true })]).toEqual([258, 1, 258]);
    expect([...tokenizer.encode('a<eos>a')]).not.toContain(1);
    expect(tokenizer.decode([258, 1])).toBe('a');
    expect(tokenizer.decode([258, 1], { specials: true })).toBe('a<eos>');
  });

  it('an id outside the vocabulary is refused', () => {
    expect(() => tokenizer.decode([259])).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
    expect(() => tokenizer.decode([-1])).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
  });
});

describe('reading JSON', () => {
  it.each([
    [{ algorithm: 'word' }, 'algorithm'],
    [{ pieces: [['a']] }, 'piece 0'],
    [{ pieces: [['a', 0, 'odd']] }, 'piece 0'],
    [{ normalizer: { charsMap: '%' } }, 'charsMap'],
    [{ normalizer: null }, 'charsMap'],
    [{ byteFallback: 1 }, 'byteFallback'],
    [{ unknownText: null }, 'unknownText'],
  ])('%j is refused', (change, words) => {
    const json = { ...sentencePieceTokenizer(partsOf({ a: -1 })).toJSON(), ...change };
    expect(() => tokenizerFrom(json, 'my.json')).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringMatching(`^my.json: .*${words}`) }),
    );
  });
});
