import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkFormat, isWellFormed } from './format.js';
import { initialiseTags, tagIds } from './ids.js';
import { parseThinking, type Part } from './parse.js';
import { countBlocks, tagNames, tagsIn, tagTexts, withoutTags } from './tags.js';

const block = (paths: readonly string[], summary: string): string =>
  `<Parallel>${paths.map(text => `<Path>${text}</Path>`).join('')}</Parallel>\n<Summary>${summary}</Summary>`;

const plain = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '\n', '<', '>', '/'), maxLength: 8 });
const wild = fc.array(fc.oneof(fc.constantFrom(...Object.values(tagTexts)), plain)).map(pieces => pieces.join(''));
/** Answers as the grammar has them. */
const answers = fc
  .array(fc.record({ before: plain, paths: fc.array(plain, { minLength: 2, maxLength: 5 }), summary: plain }), {
    maxLength: 4,
  })
  .filter(
    parts =>
      tagsIn(parts.map(({ before, paths, summary }) => [before, ...paths, summary].join('\0')).join('\0')).length === 0,
  );

const codeOf = (run: () => unknown): string => {
  try {
    run();
  } catch (error) {
    if (isHeddleError(error)) return error.code;
    throw error;
  }
  return 'none';
};

describe('checkFormat', () => {
  it('accepts what the grammar makes', () => {
    fc.assert(
      fc.property(answers, parts =>
        isWellFormed(parts.map(({ before, paths, summary }) => before + block(paths, summary)).join('')),
      ),
    );
  });

  it('finds a lost or doubled tag of a block', () => {
    const text = block(['one', 'two'], 'both');
    for (const { tag, at } of tagsIn(text)) {
      const without = text.slice(0, at) + text.slice(at + tag.length);
      const twice = text.slice(0, at) + tag + text.slice(at);
      // The end of a summary is not looked at.
      const looked = tag !== '</Summary>';
      expect(checkFormat(without).length > 0, `without ${tag} at ${at}`).toBe(looked);
      expect(checkFormat(twice).length > 0, `with ${tag} twice at ${at}`).toBe(looked);
    }
  });

  it('says which tag and why', () => {
    expect(checkFormat('<Parallel><Path>a</Path></Parallel><Summary>s')).toEqual([
      { kind: 'few-paths', tag: 3, reason: 'the block closed at tag 3 has 1 paths, two are needed' },
    ]);
  });
});

describe('parseThinking', () => {
  it('covers any text without gaps', () => {
    fc.assert(
      fc.property(wild, text => {
        const parts = parseThinking(text);
        expect(parts.map(({ start, end }) => text.slice(start, end)).join('')).toBe(text);
        expect(parts.every(({ start, end }) => end > start)).toBe(true);
      }),
    );
  });

  it('gives back what an answer was made of', () => {
    fc.assert(
      fc.property(answers, parts => {
        const text = parts.map(({ before, paths, summary }) => before + block(paths, summary)).join('');
        const found = parseThinking(text);
        const of = <K extends Part['kind']>(kind: K) =>
          found.filter((part): part is Extract<Part, { kind: K }> => part.kind === kind);
        expect(of('block').map(({ paths }) => paths.map(path => path.text))).toEqual(parts.map(({ paths }) => paths));
        expect(of('summary').map(summary => summary.text)).toEqual(parts.map(({ summary }) => summary));
        expect(of('block').every(({ closed, paths }) => closed && paths.every(path => path.closed))).toBe(true);
      }),
    );
  });

  it('says what was never closed', () => {
    expect(parseThinking('a<Parallel><Path>b</Path><Path>c</Parallel>')).toMatchObject([
      { kind: 'text', text: 'a' },
      {
        kind: 'block',
        closed: false,
        paths: [
          { text: 'b', closed: true },
          { text: 'c</Parallel>', closed: false },
        ],
      },
    ]);
  });
});

describe('tags', () => {
  it('are counted and taken away', () => {
    const text = block(['one', 'two'], 'both');
    expect(countBlocks(text + text)).toBe(2);
    expect(withoutTags(text)).toBe('onetwo\nboth');
  });

  it('need six tokens', () => {
    const ids = new Map(Object.values(tagTexts).map((text, i) => [text as string, i + 10]));
    expect(tagIds(text => ids.get(text))).toEqual({
      parallel: 10,
      endParallel: 11,
      path: 12,
      endPath: 13,
      summary: 14,
      endSummary: 15,
    });
    expect(codeOf(() => tagIds(text => (text === '<Path>' ? undefined : ids.get(text))))).toBe('E_TAGS');
    expect(codeOf(() => tagIds(() => 3))).toBe('E_TAGS');
  });

  it('start from distinct rows, each the mean of its pieces', () => {
    const table = Float32Array.from({ length: 12 * 2 }, (_, i) => i * i);
    const ids = { parallel: 0, endParallel: 1, path: 2, endPath: 3, summary: 4, endSummary: 5 };
    const pieces = { parallel: [6], endParallel: [6, 7], path: [8], endPath: [7, 8], summary: [9], endSummary: [9, 7] };
    initialiseTags(table, 2, ids, pieces);
    const square = (id: number, column: number): number => (id * 2 + column) ** 2;
    for (const name of tagNames)
      for (const column of [0, 1])
        expect(table[ids[name] * 2 + column]).toBe(
          pieces[name].reduce((sum, id) => sum + square(id, column), 0) / pieces[name].length,
        );
    expect(new Set(tagNames.map(name => table.slice(ids[name] * 2, ids[name] * 2 + 2).join())).size).toBe(6);
    expect(codeOf(() => initialiseTags(table, 2, ids, { ...pieces, path: [6] }))).toBe('E_TAGS');
  });
});
