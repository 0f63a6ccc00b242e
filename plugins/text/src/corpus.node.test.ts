import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDocuments } from './corpus.node.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-text-'));
});
afterEach(() => rm(folder, { recursive: true }));

const put = async (name: string, contents: string | Uint8Array): Promise<string> => {
  const path = `${folder}/${name}`;
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, contents);
  return path;
};

describe('reading documents', () => {
  it('reads files by name, without a byte-order mark, each once', async () => {
    const path = await put('a.log', '\ufeffone\n');
    expect(await readDocuments([path, path])).toEqual({ documents: [{ name: path, text: 'one\n' }], skipped: [] });
  });

  it('reads the documents of a folder in order, and says what it left out', async () => {
    await put('b.md', 'b');
    await put('a/z.txt', 'z');
    await put('empty.txt', ' \n');
    await put('image.png', Uint8Array.of(0));
    await put('.hidden/x.txt', 'x');
    await put('node_modules/x.txt', 'x');
    await symlink(folder, `${folder}/loop`);
    const { documents, skipped } = await readDocuments(`${folder}/`);
    expect(documents.map(document => document.name.slice(folder.length))).toEqual(['/a/z.txt', '/b.md']);
    expect(skipped).toEqual([{ name: `${folder}/empty.txt`, reason: 'empty' }]);
  });

  it('reads a document from each line of JSON lines', async () => {
    const path = await put('a.jsonl', '{"text":"one","body":"two"}\n\n{"text":" ","body":"three"}\n');
    expect((await readDocuments(path)).documents).toEqual([{ name: `${path} line 1`, text: 'one' }]);
    expect((await readDocuments(path, { field: 'body' })).documents.map(({ text }) => text)).toEqual(['two', 'three']);
    await expect(readDocuments(path, { field: 'title' })).rejects.toMatchObject({
      code: 'E_JSON',
      message: expect.stringContaining('a.jsonl line 1'),
    });
  });

  it('refuses what is no text, naming it', async () => {
    const refused = async (path: string, code: string): Promise<void> => {
      await expect(readDocuments(path)).rejects.toMatchObject({
        code,
        message: expect.stringContaining(path) as string,
      });
    };
    await refused(`${folder}/missing.txt`, 'E_IO');
    await refused(await put('empty', ''), 'E_EMPTY');
    await refused(await put('blank', ' \n'), 'E_EMPTY');
    await refused(folder, 'E_EMPTY');
    await refused(await put('binary', Uint8Array.of(1, 0)), 'E_BINARY');
    await refused(await put('broken', Uint8Array.of(65, 0xff)), 'E_UTF8');
    await refused('/dev/null', 'E_IO');
    await expect(readDocuments([])).rejects.toMatchObject({ code: 'E_EMPTY' });
  });
});
