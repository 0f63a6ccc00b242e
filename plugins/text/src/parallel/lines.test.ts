import { describe, expect, it } from 'vitest';
import { pairsFromJsonl, pairsFromLines, pairsFromTsv } from './lines.js';
import { describeDropped } from './pair.js';

const named = (text: string, name = 'a.tsv') => ({ name, text });
const sides = ({ pairs }: { readonly pairs: readonly { readonly source: string; readonly target: string }[] }) =>
  pairs.map(({ source, target }) => [source, target]);

describe('TSV', () => {
  it('is read by number or by name', () => {
    expect(sides(pairsFromTsv(named('a\tb\r\nc\td\r\n'), 1, 2))).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(sides(pairsFromTsv(named('en\tde\tfr\na\tb\tc\n'), 'fr', 'en'))).toEqual([['c', 'a']]);
  });

  it('counts what has nothing on a side', () => {
    const reading = pairsFromTsv(named('a\tb\n\tb\na\t \n\n\t\nc\td'), 1, 2);
    expect(sides(reading)).toEqual([
      ['a', 'b'],
      ['c', 'd'],
    ]);
    expect(describeDropped(reading)).toBe(
      '4 of 6 dropped: 2 empty on both sides (first: a.tsv line 4), 1 empty source (first: a.tsv line 2), 1 empty target (first: a.tsv line 3)',
    );
  });

  it('refuses what is no such table, by its line', () => {
    expect(() => pairsFromTsv(named('a\tb\nonly one\n'), 1, 2)).toThrow(
      expect.objectContaining({ code: 'E_PAIRS', message: expect.stringMatching(/^a.tsv line 2: .*received 1/) }),
    );
    expect(() => pairsFromTsv(named('en\tde\na\tb\n'), 'en', 'fr')).toThrow(
      expect.objectContaining({ code: 'E_COLUMN', message: expect.stringContaining('en, de') }),
    );
    expect(() => pairsFromTsv(named('a\tb\n'), 0, 2)).toThrow(expect.objectContaining({ code: 'E_COLUMN' }));
  });
});

describe('two texts', () => {
  it('go line by line', () => {
    expect(sides(pairsFromLines(named('a\nb\n'), named('c\nd')))).toEqual([
      ['a', 'c'],
      ['b', 'd'],
    ]);
  });

  it('of unequal length are refused', () => {
    expect(() => pairsFromLines(named('a\nb\n', 'x.en'), named('c\n', 'x.de'))).toThrow(
      expect.objectContaining({ code: 'E_PAIRS', message: expect.stringMatching(/^x.en and x.de: .*2 and 1/) }),
    );
  });
});

describe('JSON lines', () => {
  it('give fields, deeper ones too', () => {
    expect(sides(pairsFromJsonl(named('{"t":{"en":"a","de":" b "}}\n\n'), 't.en', 't.de'))).toEqual([['a', 'b']]);
  });

  it.each([
    ['{"source":"a"', 'JSON'],
    ['[]', "text in 'source', received none"],
    ['{"source":"a"}', "text in 'target', received none"],
    ['{"source":"a","target":5}', "text in 'target', received 5"],
    ['null', "text in 'source', received none"],
  ])('%s is refused by its line', (line, words) => {
    expect(() =>
      pairsFromJsonl(named(`{"source":"a","target":"b"}\n${line}\n`, 'a.jsonl'), 'source', 'target'),
    ).toThrow(
      expect.objectContaining({ code: 'E_JSON', message: expect.stringMatching(`^a.jsonl line 2: .*${words}`) }),
    );
  });
});
