import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byteDecoding } from './byte-decoder.js';

const single = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
const { decode, decoder } = byteDecoding(id => single[id], { '<eos>': 256 }, 257);

const stream = (ids: readonly number[], options = {}) => {
  const open = decoder(options);
  return ids.map(id => open.push(id)).join('') + open.end();
};

// Leads and continuations are rare among random bytes: ask for them.
const bytes = fc.array(
  fc.oneof(fc.nat(256), fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0xc2, 0x80, 0x9f, 0xa0, 0xbf, 0xef, 0xbb)),
  { maxLength: 12 },
);

describe('byte decoding', () => {
  it('gives the same text one id at a time as all at once, for any bytes', () => {
    fc.assert(
      fc.property(bytes, fc.boolean(), (ids, specials) => {
        expect(stream(ids, { specials })).toBe(decode(ids, { specials }));
      }),
      { numRuns: 5000 },
    );
  });

  it('shows a character only when it is whole', () => {
    const open = decoder();
    expect([...new TextEncoder().encode('a€😀')].map(byte => open.push(byte))).toEqual([
      'a',
      '',
      '',
      '€',
      '',
      '',
      '',
      '😀',
    ]);
    expect(open.end()).toBe('');
  });

  it('keeps a byte-order mark', () => {
    expect(decode([0xef, 0xbb, 0xbf, 0x61])).toBe('\ufeffa');
  });

  it('ends a broken character at a special, at the end, and says U+FFFD', () => {
    expect(stream([0xe2, 0x82, 256, 0x61], { specials: true })).toBe('\ufffd<eos>a');
    expect(stream([0x61, 0xe2, 0x82])).toBe('a\ufffd');
  });

  it('names an id outside the vocabulary', () => {
    for (const id of [257, -1, 0.5, Number.NaN]) {
      expect(() => decode([id])).toThrow(
        expect.objectContaining({ code: 'E_TOKEN', message: expect.stringContaining('0 to 256') as string }),
      );
      expect(() => decoder().push(id)).toThrow(expect.objectContaining({ code: 'E_TOKEN' }));
    }
  });
});
