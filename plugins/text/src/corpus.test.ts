import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { split, type Document } from './corpus.js';

const documents = (...texts: string[]): Document[] => texts.map((text, at) => ({ name: `text ${at + 1}`, text }));
const many = documents(...Array.from({ length: 40 }, (_, at) => `Document number ${at}.`));
const texts = (some: readonly Document[]): string[] => some.map(document => document.text).sort();

describe('splitting a corpus', () => {
  it('by document: each on one side, the share kept, order and names without influence', () => {
    const { train, validation } = split(many, { share: 0.1 });
    expect(validation).toHaveLength(4);
    expect(texts([...train, ...validation])).toEqual(texts(many));
    const other = split(
      [...many].reverse().map(document => ({ ...document, name: 'x' })),
      { share: 0.1 },
    );
    expect(texts(other.validation)).toEqual(texts(validation));
    expect(texts(split(many, { share: 0.1, seed: 1 }).validation)).not.toEqual(texts(validation));
  });

  it('keeps copies of a document together', () => {
    const { train, validation } = split([...many, ...many], { share: 0.2 });
    expect(texts(train).filter(text => texts(validation).includes(text))).toEqual([]);
  });

  it('by tail: the text is whole, the end is about the share', () => {
    const { train, validation } = split(documents('line of text\n'.repeat(1000)), { share: 0.1 });
    expect(train[0]!.text + validation[0]!.text).toBe('line of text\n'.repeat(1000));
    expect(train[0]!.text.endsWith('\n')).toBe(true);
    expect(validation[0]!.text.length / 13_000).toBeCloseTo(0.1, 2);
  });

  it('by tail: never cuts a character', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary', minLength: 20, maxLength: 60 }),
        fc.double({ min: 0.2, max: 0.8, noNaN: true }),
        (text, share) => {
          const { train, validation } = split(documents(text), { share, by: 'tail' });
          expect(train[0]!.text + validation[0]!.text).toBe(text);
          expect(/\p{Surrogate}/u.test(train[0]!.text)).toBe(false);
        },
      ),
    );
  });

  it('refuses a share out of range, and a side without text', () => {
    for (const share of [-0.1, 1, Number.NaN])
      expect(() => split(many, { share })).toThrow(expect.objectContaining({ code: 'E_OPTION' }));
    expect(() => split(documents('one'), { share: 0.5, by: 'document' })).toThrow(
      expect.objectContaining({ code: 'E_EMPTY', message: expect.stringContaining('training') as string }),
    );
    expect(split(many, { share: 0 }).validation).toEqual([]);
  });
});
