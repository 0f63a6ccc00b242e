import fc from 'fast-check';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLines, readLines, writeWhole } from './files.node.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-lines-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(content: string | Uint8Array, name = 'a.txt'): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe('lines', () => {
  it('are those of split, for any text', async () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'é', '😀', '\n', ' ', '\u2028', '\x85', '\ufeff'),
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(text, async x => {
        const content = `x${x}`; // a mark at the start is another matter
        const expected = content.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect((await readLines(await file(content))).lines).toEqual(expected);
      }),
    );
  });

  it('come in parts of any size, also where they are longer than a block', async () => {
    const long = 'weft '.repeat(200_000);
    const lines = [long, 'a', '', long, 'b'];
    const open = await openLines(await file(`${lines.join('\n')}\n`));
    const found: string[] = [];
    for (let part = await open.next(2); part.length > 0; part = await open.next(2)) {
      expect(part.length).toBeLessThanOrEqual(2);
      found.push(...part);
    }
    await open.close();
    expect(found).toEqual(lines);
  });

  it('of Windows, and a byte-order mark, are mended and told of with their line', async () => {
    const { lines, notices } = await readLines(await file('\ufeffa\nb\r\nc\r\nd\n'));
    expect(lines).toEqual(['a', 'b', 'c', 'd']);
    expect(notices[0]).toMatch(/a\.txt: line 1 begins with a byte-order mark/);
    expect(notices[1]).toMatch(/a\.txt: 2 of 4 lines end as on Windows \(CRLF\), from line 2 on/);
    expect((await readLines(await file('a\r\nb\r\n'))).notices[0]).toMatch(/lines end as on Windows/);
  });

  it.each([
    ['a Latin-1 file', [0x61, 0x0a, 0x62, 0xe9, 0x0a], 'E_UTF8', /in line 2, byte 2 of the line. If it is Latin-1/],
    [
      'mixed encodings',
      [0xc3, 0xa9, 0x0a, 0xe9, 0x0a],
      'E_UTF8',
      /in line 2, byte 1 of the line. What comes before is UTF-8: the file mixes encodings/,
    ],
    ['a cut character at the end', [0x61, 0x0a, 0xe7, 0xbb], 'E_UTF8', /in line 2/],
    ['UTF-16', [0xff, 0xfe, 0x61, 0x00], 'E_UTF8', /UTF-16, by its byte-order mark/],
    ['a zero byte', [0x61, 0x0a, 0x00, 0x0a], 'E_BINARY', /zero byte in line 2/],
  ])('%s: refused with the line', async (_, bytes, code, words) => {
    const error: unknown = await readLines(await file(Uint8Array.from(bytes))).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code, message: expect.stringMatching(words) as string });
  });

  it('far into a file are counted rightly', async () => {
    const good = 'weft\n'.repeat(120_000);
    const bytes = new Uint8Array([...new TextEncoder().encode(good), 0x61, 0xff, 0x0a]);
    await expect(readLines(await file(bytes))).rejects.toMatchObject({ details: { line: 120_001, column: 2 } });
  });

  it('of nothing, and of a folder', async () => {
    expect(await readLines(await file(''))).toEqual({ lines: [], notices: [] });
    await expect(readLines(join(folder, 'missing.txt'))).rejects.toMatchObject({
      code: 'E_IO',
      message: expect.stringContaining('nothing by this name') as string,
    });
    await expect(readLines(folder)).rejects.toMatchObject({
      code: 'E_IO',
      message: expect.stringContaining('a folder') as string,
    });
  });
});

it('a file is written whole or not at all', async () => {
  const path = join(folder, 'out.html');
  await writeWhole(path, 'one');
  await writeWhole(path, 'two');
  expect(await readFile(path, 'utf8')).toBe('two');
  await expect(writeWhole(join(folder, 'no', 'such', 'folder.html'), 'x')).rejects.toMatchObject({ code: 'E_IO' });
  expect((await readdir(folder)).filter(name => name.includes('partial'))).toEqual([]);
});
