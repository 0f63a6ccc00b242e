import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fixed, rounded } from './decimal.js';
import { brokenAt } from './utf8.js';
import { isSpace, squeeze, trim, words } from './whitespace.js';

describe('white space', () => {
  it('is that of Python, not of JavaScript', () => {
    // ''.join(chr(c) for c in range(0x110000) if chr(c).isspace()), Python 3.11
    const python =
      '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
    const found = Array.from({ length: 0x10000 }, (_, code) => code).filter(isSpace);
    expect(String.fromCharCode(...found)).toBe(python);
  });

  it('parts words as a regular expression of the same set does', () => {
    const space = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/; // oxlint-disable-line no-control-regex
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', ' ', '\t', '\u3000', '\x1c', '\ufeff', '😀'),
      maxLength: 20,
    });
    fc.assert(
      fc.property(text, x => {
        expect(words(x)).toEqual(x.split(space).filter(one => one !== ''));
        expect(words(squeeze(x))).toEqual(words(x));
        expect(trim(x)).toBe(x.replace(new RegExp(`^${space.source}`), '').replace(new RegExp(`${space.source}$`), ''));
      }),
    );
  });
});

describe('numbers as Python writes them', () => {
  it.each([
    [0.125, 2, '0.12'],
    [0.375, 2, '0.38'],
    [2.5, 0, '2'],
    [3.5, 0, '4'],
    [-0.125, 2, '-0.12'],
    [0.15, 1, '0.1'], // below the tie in binary
    [Number.NaN, 2, 'nan'],
    [-Infinity, 2, '-inf'],
  ])('%d to %d digits is %s', (value, digits, text) => expect(fixed(value, digits)).toBe(text));

  it('is never further off than half a unit, and goes to the even digit from the middle', () => {
    fc.assert(
      fc.property(fc.integer({ min: -4096, max: 4096 }), fc.integer({ min: 0, max: 3 }), (sixteenths, digits) => {
        const value = sixteenths / 16; // exact in binary
        const scaled = BigInt(sixteenths) * 10n ** BigInt(digits);
        const found = BigInt(fixed(value, digits).replace('.', ''));
        const off = found * 16n - scaled;
        expect(off >= -8n && off <= 8n).toBe(true);
        if (off === 8n || off === -8n) expect(found % 2n).toBe(0n);
      }),
    );
    expect(rounded(0.52625, 4)).toBe(0.5262);
  });
});

describe('broken UTF-8', () => {
  it('is found where the decoder finds it', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 12 }), bytes => {
        const at = brokenAt(bytes);
        expect(() => strict.decode(bytes.subarray(0, at))).not.toThrow();
        if (at < bytes.length) expect(() => strict.decode(bytes)).toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [[0x61, 0xe9, 0x20], 1],
    [[0xc3, 0xa9, 0xff], 2],
    [[0xed, 0xa0, 0x80], 0], // a surrogate
    [[0xf0, 0x9f, 0x98], 0], // cut short
    [[0xf0, 0x9f, 0x98, 0x80], 4],
  ])('%j at %d', (bytes, at) => expect(brokenAt(Uint8Array.from(bytes))).toBe(at));
});
