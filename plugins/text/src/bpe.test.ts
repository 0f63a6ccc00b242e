import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { trainBpe } from './bpe-train.js';
import { tokenizerFrom } from './tokenizer-from.js';

const sample =
  'The weaver sets the warp and the weft; the heddle lifts the thread. Über Fäden, נול, 織物, 😀😀. '.repeat(20);
const tokenizer = trainBpe([sample], { vocabularySize: 320 });

describe('bpe', () => {
  it('gives back every well-formed text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.string({ unit: fc.constantFrom(...'the weftÜ織😀 \n'), maxLength: 200 }),
    );
    fc.assert(
      fc.property(text, written => {
        expect(tokenizer.decode(tokenizer.encode(written))).toBe(written);
        const open = tokenizer.decoder();
        expect([...tokenizer.encode(written)].map(id => open.push(id)).join('') + open.end()).toBe(written);
      }),
      { numRuns: 500 },
    );
  });

  it('reads a lone surrogate as U+FFFD', () => {
    const units = fc
      .array(fc.integer({ min: 0xd7f0, max: 0xe010 }), { maxLength: 20 })
      .map(codes => String.fromCharCode(...codes));
    fc.assert(
      fc.property(units, text => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(text.replace(/\p{Surrogate}/gu, '\ufffd'));
      }),
    );
  });

  it('makes text shorter', () => {
    expect(tokenizer.vocabularySize).toBe(320);
    expect(tokenizer.encode(sample).length * 3).toBeLessThan(sample.length);
    expect([...tokenizer.encode('')]).toEqual([]);
  });

  it('makes specials from text only when asked', () => {
    expect([...tokenizer.encode('<eos>', { specials: true })]).toEqual([257]);
    expect(tokenizer.encode('<eos>').length).toBeGreaterThan(1);
    expect(tokenizer.decode(tokenizer.encode('the<eos>weft', { specials: true }), { specials: true })).toBe(
      'the<eos>weft',
    );
  });

  it('encodes a run of one letter in about linear time', { timeout: 20_000 }, () => {
    const small = trainBpe(['a'.repeat(64)], { vocabularySize: 300 });
    for (const run of ['a'.repeat(1_000_000), 'ab'.repeat(500_000), ' '.repeat(1_000_000)]) {
      const started = performance.now();
      expect(small.decode(small.encode(run)) === run).toBe(true);
      expect(performance.now() - started).toBeLessThan(10_000); // about 0.5 s; quadratic time would be hours
    }
  });

  it('comes back from its JSON', () => {
    const again = tokenizerFrom(JSON.parse(JSON.stringify(tokenizer)));
    expect([...again.encode(sample)]).toEqual([...tokenizer.encode(sample)]);
    expect(again.toJSON()).toEqual(tokenizer.toJSON());
  });
});

describe('a bpe file', () => {
  const good = JSON.parse(JSON.stringify(trainBpe(['abababab cdcd'], { vocabularySize: 262 }))) as Record<
    string,
    unknown
  >;
  const merges = good.merges as number[][];
  const wrong: readonly (readonly [string, Record<string, unknown>, string])[] = [
    ['other words', { words: 'llama' }, 'words'],
    ['bytes missing', { bytes: [1, 2] }, '256 bytes'],
    ['bytes repeated', { bytes: Array.from({ length: 256 }, () => 0) }, 'byte 1'],
    ['no specials', { specials: null }, 'specials'],
    ['special on a byte', { specials: { '<eos>': 65 } }, "special '<eos>'"],
    ['no merges', { merges: 'ab' }, 'merges'],
    ['a merge of two numbers', { merges: [[97, 98]] }, 'merge 0'],
    ['a fraction', { merges: [[97, 98, 259.5]] }, 'merge 0'],
    ['a merge of the future', { merges: [[97, 400, 259]] }, 'merge 0'],
    ['a merge of a special', { merges: [[97, 257, 259]] }, 'merge 0'],
    ['a merge onto a byte', { merges: [[97, 98, 99]] }, 'merge 0'],
    ['a pair twice', { merges: [...merges, merges[0]] }, `merge ${merges.length}`],
    ['a gap', { merges: [[97, 98, 1000]] }, 'without gaps'],
    [
      'an endless token',
      { merges: Array.from({ length: 40 }, (_, at) => (at === 0 ? [97, 97, 259] : [258 + at, 258 + at, 259 + at])) },
      '1024 bytes',
    ],
  ];
  it.each(wrong)('is refused: %s', (_, change, named) => {
    expect(() => tokenizerFrom({ ...good, ...change }, 'my.json')).toThrow(
      expect.objectContaining({ code: 'E_TOKENIZER', message: expect.stringContaining(named) as string }),
    );
    expect(() => tokenizerFrom({ ...good, ...change }, 'my.json')).toThrow(/^my\.json: .*expected.*received.*\. /);
  });
});
