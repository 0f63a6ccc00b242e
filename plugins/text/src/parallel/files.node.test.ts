import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readPairs } from './files.node.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-pairs-'));
  await writeFile(path('a.tsv'), '\ufeffen\tde\nwarp\tKette\n');
  await writeFile(path('a.jsonl'), '{"source":"warp","target":"Kette"}\n');
  await writeFile(path('a.en'), 'warp\n');
  await writeFile(path('a.de'), 'Kette\n');
  await writeFile(path('latin.tsv'), Buffer.from('warp\tKette\nweft\tSchu\xdf\n', 'latin1'));
  await writeFile(path('empty.tsv'), '\t\n\n');
});
afterAll(() => rm(folder, { recursive: true }));

it('pairs come from a table, from JSON lines, and from two files', async () => {
  for (const files of [
    { file: path('a.tsv'), source: 'en', target: 'de' },
    { file: path('a.jsonl') },
    { sourceFile: path('a.en'), targetFile: path('a.de') },
  ])
    expect((await readPairs(files)).pairs).toEqual([
      expect.objectContaining({ source: 'warp', target: 'Kette', where: expect.stringMatching(/ line \d$/) }),
    ]);
});

it('broken text is refused by file and line, and so is nothing at all', async () => {
  await expect(readPairs({ file: path('latin.tsv') })).rejects.toMatchObject({
    code: 'E_UTF8',
    message: expect.stringMatching(/latin\.tsv: .* line 2/),
  });
  await expect(readPairs({ file: path('empty.tsv') })).rejects.toMatchObject({ code: 'E_EMPTY' });
  await expect(readPairs({ file: path('none.tsv') })).rejects.toMatchObject({ code: 'E_IO' });
});
