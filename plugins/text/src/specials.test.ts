import { describe, expect, it } from 'vitest';
import { cutSpecials, numberSpecials } from './specials.js';

describe('specials', () => {
  it('are numbered in order', () => {
    expect({ ...numberSpecials(['<bos>', '__proto__'], 256) }).toEqual(
      Object.fromEntries([
        ['<bos>', 256],
        ['__proto__', 257],
      ]),
    );
  });

  it('are refused when empty or repeated', () => {
    expect(() => numberSpecials(['<a>', '<a>'], 0)).toThrow(expect.objectContaining({ code: 'E_TOKENIZER' }));
    expect(() => numberSpecials([''], 0)).toThrow(expect.objectContaining({ code: 'E_TOKENIZER' }));
  });

  it('cut text, the longest name first', () => {
    const specials = { '<a>': 1, '<a>b': 2, '.*': 3 };
    expect(cutSpecials('x<a>by<a>.*', specials)).toEqual(['x', 2, 'y', 1, '', 3, '']);
    expect(cutSpecials('plain', specials)).toEqual(['plain']);
    expect(cutSpecials('plain', {})).toEqual(['plain']);
  });
});
