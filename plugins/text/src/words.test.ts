import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { forEachWord } from './words.js';

const words = (text: string): string[] => {
  const found: string[] = [];
  forEachWord(text, word => found.push(word));
  return found;
};

describe('words', () => {
  it('follow the rule', () => {
    expect(words("You've 12 ideas,  don't you?")).toEqual([
      'You',
      "'ve",
      ' 12',
      ' ideas',
      ',',
      ' ',
      ' don',
      "'t",
      ' you',
      '?',
    ]);
    expect(words('a \n\n b\n')).toEqual(['a', ' \n\n', ' b', '\n']);
    expect(words('你好 мир𝐀')).toEqual(['你好', ' мир𝐀']);
  });

  it('take white space as Unicode has it', () => {
    expect(words('a\u0085b\ufeffc')).toEqual(['a', '\u0085', 'b', '\ufeff', 'c']);
    expect(words('\u0085\u0085x')).toEqual(['\u0085', '\u0085', 'x']);
    expect(words('\ufeff\ufeffx')).toEqual(['\ufeff\ufeff', 'x']);
  });

  it('lose nothing, of any text', () => {
    const units = fc.array(fc.integer({ min: 0, max: 0xffff })).map(codes => String.fromCharCode(...codes)); // lone surrogates too
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), units), text => {
        expect(words(text).join('')).toBe(text);
      }),
    );
  });
});
