import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { pairsFromM2 } from './m2.js';

const read = (text: string) => pairsFromM2({ name: 'a.m2', text });
const edit = (from: number, to: number, by: string, who = 0, type = 'R') =>
  `A ${from} ${to}|||${type}|||${by}|||REQUIRED|||-NONE-|||${who}`;

describe('M2', () => {
  it('gives the corrections of the first annotator', () => {
    const text = [
      'S he go home',
      edit(1, 2, 'goes'),
      edit(3, 3, 'now'),
      edit(0, 1, 'she', 1),
      '',
      'S fine .',
      edit(-1, -1, '-NONE-', 0, 'noop'),
      '',
      'S a a b',
      edit(0, 1, ''),
      '',
    ].join('\n');
    expect(read(text).pairs).toEqual([
      { source: 'he go home', target: 'he goes home now', where: 'a.m2 line 1' },
      { source: 'fine .', target: 'fine .', where: 'a.m2 line 6' },
      { source: 'a a b', target: 'a b', where: 'a.m2 line 9' },
    ]);
  });

  it('counts what is left with nothing', () => {
    expect(read(`S gone\n${edit(0, 1, '')}\n\nS\n`)).toEqual({
      pairs: [],
      seen: 2,
      dropped: [
        { reason: 'empty source', count: 1, first: 'a.m2 line 4' },
        { reason: 'empty target', count: 1, first: 'a.m2 line 1' },
      ],
    });
  });

  it('counts what does not fit', () => {
    const { pairs, dropped } = read(
      `S a b\n${edit(1, 3, 'x')}\n\nS a b\n${edit(0, 2, 'x')}\n${edit(1, 2, 'y')}\n\nS c\n${edit(0, 1, 'd')}`,
    );
    expect(pairs).toMatchObject([{ source: 'c', target: 'd' }]);
    expect(dropped).toEqual([
      { reason: 'edit outside its sentence', count: 1, first: 'a.m2 line 1' },
      { reason: 'edits over each other', count: 1, first: 'a.m2 line 4' },
    ]);
  });

  it.each([
    [edit(0, 1, 'x'), 'line 1: expected a sentence'],
    ['S a b\nA 0 1 x', 'line 2: expected an edit'],
  ])('%j is refused', (text, words) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ code: 'E_PAIRS', message: expect.stringMatching(`^a.m2 ${words}`) }),
    );
  });

  const jfleg = fileURLToPath(new URL('../../../../../shared/golden/gec/jfleg.dev', import.meta.url));
  it.skipIf(!existsSync(`${jfleg}.m2`))(
    'of JFLEG says what its references say (skipped where ../shared is not there)',
    () => {
      const references = readFileSync(`${jfleg}.jsonl`, 'utf8')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line) as { readonly source: string; readonly references: readonly string[] });
      const { pairs } = pairsFromM2({ name: 'jfleg.m2', text: readFileSync(`${jfleg}.m2`, 'utf8') });
      // The annotations were made without regard to case, and with words parted elsewhere.
      const plain = (text: string): string => text.replaceAll(/\s+/g, '').toLowerCase();
      const bySource = new Map(references.map(row => [plain(row.source), row.references.map(plain)]));
      const found = pairs.filter(({ source }) => bySource.has(plain(source)));
      expect(found.length).toBeGreaterThan(600);
      expect(
        found.filter(({ source, target }) => bySource.get(plain(source))!.includes(plain(target))).length,
      ).toBeGreaterThan(0.95 * found.length);
    },
  );
});
