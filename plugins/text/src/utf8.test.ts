import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { firstBroken, textOf } from './utf8.js';

const bytes = (...parts: (string | number)[]): Uint8Array =>
  Uint8Array.from(parts.flatMap(part => (typeof part === 'number' ? [part] : [...new TextEncoder().encode(part)])));

describe('reading UTF-8', () => {
  it('drops a byte-order mark, only the first', () => {
    expect(textOf(bytes(0xef, 0xbb, 0xbf, 'a\ufeffb'), 'a.txt')).toBe('a\ufeffb');
  });

  it('names file, byte, line and place of what is no UTF-8', () => {
    expect(() => textOf(bytes('one\nzwölf\nca', 0xe9, '\n'), 'latin.txt')).toThrow(
      expect.objectContaining({
        code: 'E_UTF8',
        message: expect.stringMatching(
          /^latin\.txt: expected UTF-8, received bytes e9 0a at byte 13, line 3, byte 3 of the line\./,
        ) as string,
        details: { name: 'latin.txt', offset: 13, line: 3, column: 3 },
      }),
    );
  });

  it('knows UTF-16 and binary files', () => {
    expect(() => textOf(bytes(0xff, 0xfe, 'a', 0), 'wide.txt')).toThrow(
      expect.objectContaining({ code: 'E_UTF8', message: expect.stringContaining('UTF-16') as string }),
    );
    expect(() => textOf(bytes('PK', 3, 4, 0), 'a.zip')).toThrow(
      expect.objectContaining({ code: 'E_BINARY', message: expect.stringContaining('byte 4') as string }),
    );
  });

  it('finds the first broken byte exactly where a strict decoder stops', () => {
    const strict = new TextDecoder('utf-8', { fatal: true });
    const reads = (some: Uint8Array): boolean => {
      try {
        strict.decode(some);
        return true;
      } catch {
        return false;
      }
    };
    const byte = fc.oneof(
      fc.nat(255),
      fc.constantFrom(0xe0, 0xed, 0xf0, 0xf4, 0xc2, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xe2),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 10 }), some => {
        const all = Uint8Array.from(some);
        const offset = firstBroken(all);
        expect(reads(all.subarray(0, offset))).toBe(true);
        expect(reads(all)).toBe(offset === all.length);
        for (let end = offset + 1; end <= Math.min(offset + 4, all.length); end++)
          expect(reads(all.subarray(offset, end))).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});
