import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fileSink, fileSource } from './bytes.node.js';
import { isPartial } from './partial.node.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'heddle-'));
});
afterEach(() => fs.rm(folder, { recursive: true }));

describe('a file source', () => {
  it('gives ranges of the file', async () => {
    await fs.writeFile(join(folder, 'x'), Uint8Array.of(1, 2, 3, 4));
    const source = await fileSource(join(folder, 'x'));
    expect(source.size).toBe(4);
    expect([...(await source.read(1, 3))]).toEqual([2, 3]);
    expect([...(await source.read(4, 4))]).toEqual([]);
    await expect(source.read(3, 5)).rejects.toMatchObject({ code: 'E_IO', details: { reason: 'range' } });
    await source.close();
    await source.close();
    await expect(source.read(0, 1)).rejects.toMatchObject({ code: 'E_IO' });
  });

  it('notices a file that was cut meanwhile', async () => {
    const path = join(folder, 'x');
    await fs.writeFile(path, new Uint8Array(100));
    const source = await fileSource(path);
    await fs.truncate(path, 10);
    await expect(source.read(0, 50)).rejects.toMatchObject({
      code: 'E_IO',
      details: { reason: 'short', expected: 50, received: 10 },
    });
    await source.close();
  });

  it('refuses what is no file', async () => {
    await expect(fileSource(folder)).rejects.toMatchObject({ code: 'E_IO' });
    await expect(fileSource(join(folder, 'absent'))).rejects.toMatchObject({
      code: 'E_IO',
      details: { code: 'ENOENT' },
    });
  });
});

describe('a file sink', () => {
  it('shows the file when it is finished, not before', async () => {
    const path = join(folder, 'x');
    const sink = await fileSink(path);
    await sink.write(Uint8Array.of(1, 2));
    const [unfinished] = await fs.readdir(folder);
    expect(isPartial(unfinished!)).toBe(true);
    await Promise.all([sink.write(Uint8Array.of(3)), sink.write(Uint8Array.of(4, 5))]); // in the order of the calls
    await sink.finish();
    expect(await fs.readdir(folder)).toEqual(['x']);
    expect([...(await fs.readFile(path))]).toEqual([1, 2, 3, 4, 5]);
  });

  it('leaves the old file and nothing else after an abort', async () => {
    const path = join(folder, 'x');
    await fs.writeFile(path, 'old');
    const sink = await fileSink(path);
    await sink.write(Uint8Array.of(1));
    await sink.abort();
    await sink.abort();
    expect(await fs.readdir(folder)).toEqual(['x']);
    expect(await fs.readFile(path, 'utf8')).toBe('old');
    await expect(sink.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'E_IO' });
  });

  it('removes its file when it cannot be put in place', async () => {
    await fs.mkdir(join(folder, 'x', 'y'), { recursive: true }); // a folder stands where the file should go
    const sink = await fileSink(join(folder, 'x'));
    await expect(sink.finish()).rejects.toMatchObject({ code: 'E_IO' });
    expect(await fs.readdir(folder)).toEqual(['x']);
  });

  it('needs its folder', async () => {
    await expect(fileSink(join(folder, 'absent', 'x'))).rejects.toMatchObject({
      code: 'E_IO',
      details: { code: 'ENOENT' },
    });
  });
});
