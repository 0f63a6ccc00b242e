import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteTokenizer } from './byte.js';

const text = fc.string({ unit: 'binary', maxLength: 200 });

describe('byte tokeniser', () => {
  const tokenizer = byteTokenizer();

  it('gives back every well-formed text', () => {
    fc.assert(
      fc.property(text, sample => {
        expect(tokenizer.decode(tokenizer.encode(sample))).toBe(sample);
      }),
    );
  });

  it('reads a lone surrogate as U+FFFD', () => {
    expect(tokenizer.decode(tokenizer.encode('a\ud800b'))).toBe('a\ufffdb');
  });

  it('puts specials after the bytes and makes them from text only when asked', () => {
    expect(tokenizer.vocabularySize).toBe(259);
    expect({ ...tokenizer.specials }).toEqual({ '<bos>': 256, '<eos>': 257, '<pad>': 258 });
    expect([...tokenizer.encode('a<eos>', { specials: true })]).toEqual([97, 257]);
    expect(tokenizer.encode('a<eos>')).toHaveLength(6);
    expect(tokenizer.decode([256, 97, 257])).toBe('a');
    expect(tokenizer.decode([256, 97, 257], { specials: true })).toBe('<bos>a<eos>');
  });
});
