import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { byteLetters } from './bpe-gpt2.js';
import { trainBpe } from './bpe-train.js';
import { readGpt2, readTokenizer, saveTokenizer } from './tokenizer.node.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-tokenizer-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('tokeniser files', () => {
  it('come back as they went', async () => {
    const tokenizer = trainBpe(['warp and weft and warp'], { vocabularySize: 270 });
    const path = join(folder, 'tokenizer.json');
    await saveTokenizer(path, tokenizer);
    expect((await readTokenizer(path)).toJSON()).toEqual(tokenizer.toJSON());
    expect(await readdir(folder)).toEqual(['tokenizer.json']);
  });

  it('of GPT-2 are read as a pair', async () => {
    await writeFile(
      join(folder, 'vocab.json'),
      JSON.stringify(Object.fromEntries([...byteLetters, 'ab'].map((token, id) => [token, id]))),
    );
    await writeFile(join(folder, 'merges.txt'), '#version: 0.2\na b\n');
    expect([...(await readGpt2(join(folder, 'vocab.json'), join(folder, 'merges.txt'))).encode('cab')]).toEqual([
      99, 256,
    ]);
  });

  it('are refused by name', async () => {
    const path = join(folder, 'cut.json');
    await writeFile(path, '{"format": "hedd');
    await expect(readTokenizer(path)).rejects.toMatchObject({
      code: 'E_TOKENIZER',
      message: expect.stringContaining('cut.json') as string,
    });
    await expect(readTokenizer(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'E_IO' });
    await expect(
      saveTokenizer(join(folder, 'no', 'folder.json'), trainBpe([], { vocabularySize: 300 })),
    ).rejects.toMatchObject({ code: 'E_IO' });
  });
});
