import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { catalogBytes } from '../../fixtures/catalog-bytes.js';
import { readCatalog } from './mo.js';

const messages = {
  Open: 'Öffnen',
  'menu\u0004Open': 'Auf',
  'one file\0{n} files': 'eine Datei\0{n} Dateien',
};

describe('a catalog', () => {
  it.each([false, true])('is read with its contexts and plurals (big end first: %s)', big => {
    const { header, messages: found, unreadable } = readCatalog(catalogBytes({ messages, big }), 'a.mo');
    expect(header.get('language')).toBe('xx');
    expect(unreadable).toBe(0);
    expect(found).toEqual([
      { id: 'Open', context: '', plural: null, texts: ['Öffnen'] },
      { id: 'Open', context: 'menu', plural: null, texts: ['Auf'] },
      { id: 'one file', context: '', plural: '{n} files', texts: ['eine Datei', '{n} Dateien'] },
    ]);
  });

  it('is decoded from its own encoding; what is none of it is counted', () => {
    const latin = { Open: Uint8Array.of(0xd6, 0x66), Close: 'zu' };
    expect(readCatalog(catalogBytes({ messages: latin, charset: 'ISO-8859-1' }), 'a.mo').messages[1]!.texts).toEqual([
      'Öf',
    ]);
    const { messages: found, unreadable } = readCatalog(catalogBytes({ messages: latin }), 'a.mo');
    expect([found.map(({ id }) => id), unreadable]).toEqual([['Close'], 1]);
    expect(() => readCatalog(catalogBytes({ messages, charset: 'klingon' }), 'a.mo')).toThrow(
      expect.objectContaining({ code: 'E_CATALOG', message: expect.stringContaining("'klingon'") }),
    );
  });

  it.each<[string, (view: DataView) => void, string]>([
    ['another magic number', view => view.setUint32(0, 1), 'first bytes'],
    ['a format of the future', view => view.setUint32(4, 2 << 16, true), 'format 2'],
    ['more messages than bytes', view => view.setUint32(8, 2 ** 31, true), '2147483648 ids'],
    ['a table outside', view => view.setUint32(16, 2 ** 32 - 8, true), 'texts at byte 4294967288'],
    ['a text outside', view => view.setUint32(28 + 12, 2 ** 32 - 1, true), 'at byte 4294967295'],
    ['a text that is too long', view => view.setUint32(28 + 8, 2 ** 32 - 1, true), 'of 4294967295 bytes'],
  ])('with %s is refused', (_, damage, words) => {
    const bytes = catalogBytes({ messages });
    damage(new DataView(bytes.buffer));
    expect(() => readCatalog(bytes, 'a.mo')).toThrow(
      expect.objectContaining({ code: 'E_CATALOG', message: expect.stringMatching(`^a.mo: .*${words}`) }),
    );
  });

  it('whose strings overlap so that it would grow is refused', () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`message ${i}`, 'x']));
    const bytes = catalogBytes({ messages: many });
    const view = new DataView(bytes.buffer);
    const texts = view.getUint32(16, true);
    for (let i = 1; i < 501; i++) {
      view.setUint32(texts + 8 * i, bytes.length - 64, true);
      view.setUint32(texts + 8 * i + 4, 64, true);
    }
    expect(() => readCatalog(bytes, 'a.mo')).toThrow(
      expect.objectContaining({ code: 'E_CATALOG', message: expect.stringContaining('overlap') }),
    );
  });

  it('damaged anywhere is refused by its code, or read', () => {
    const whole = catalogBytes({ messages });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          try {
            readCatalog(bytes.subarray(0, length), 'a.mo');
          } catch (error) {
            expect(isHeddleError(error) && error.code).toBe('E_CATALOG');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
