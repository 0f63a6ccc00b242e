import { execFileSync, spawnSync } from 'node:child_process';
import { promises as fs } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { atomicFolder, atomicWriteFile, completeFolders } from './atomic.node.js';
import { fileSink } from './bytes.node.js';

let folder: string;
beforeEach(async () => {
  folder = await fs.mkdtemp(join(tmpdir(), 'heddle-'));
});
afterEach(async () => {
  vi.restoreAllMocks();
  await fs.rm(folder, { recursive: true });
});

const text = (...path: string[]): Promise<string> => fs.readFile(join(folder, ...path), 'utf8');
const tree = async (path = folder): Promise<string[]> => (await fs.readdir(path, { recursive: true })).sort();

describe('atomicWriteFile', () => {
  it('writes and replaces', async () => {
    await atomicWriteFile(join(folder, 'x.json'), 'é');
    await atomicWriteFile(join(folder, 'x.json'), new TextEncoder().encode('new'));
    expect(await text('x.json')).toBe('new');
    expect(await tree()).toEqual(['x.json']);
  });
});

describe('atomicFolder', () => {
  it('shows the folder when it is whole, and returns what was returned', async () => {
    const path = join(folder, 'step-1');
    const result = await atomicFolder(path, async temporary => {
      await fs.mkdir(join(temporary, 'sub'));
      await fs.writeFile(join(temporary, 'sub', 'a'), '1');
      expect(await completeFolders(folder)).toEqual([]);
      return 5;
    });
    expect(result).toBe(5);
    expect(await tree()).toEqual(['step-1', 'step-1/sub', 'step-1/sub/a']);
    expect(await completeFolders(folder)).toEqual(['step-1']);
  });

  it('makes the folders above', async () => {
    await atomicFolder(join(folder, 'runs', 'a', 'step-1'), async temporary => fs.writeFile(join(temporary, 'x'), ''));
    expect(await completeFolders(join(folder, 'runs', 'a'))).toEqual(['step-1']);
  });

  it('leaves nothing when filling fails, and passes the failure on', async () => {
    const failing = atomicFolder(join(folder, 'x'), async temporary => {
      await fs.writeFile(join(temporary, 'a'), '1');
      throw new RangeError('mine');
    });
    await expect(failing).rejects.toThrow(RangeError);
    expect(await tree()).toEqual([]);
  });

  it('replaces only when told to', async () => {
    const write = (content: string, replace?: boolean) =>
      atomicFolder(
        join(folder, 'x'),
        async temporary => fs.writeFile(join(temporary, content), content),
        replace === undefined ? {} : { replace },
      );
    await write('old');
    await expect(write('new')).rejects.toMatchObject({ code: 'E_EXISTS' });
    expect(await tree()).toEqual(['x', 'x/old']);
    await write('new', true);
    expect(await tree()).toEqual(['x', 'x/new']);
  });

  it('puts the old folder back when the new one cannot take its place', async () => {
    const path = join(folder, 'x');
    await atomicFolder(path, async temporary => fs.writeFile(join(temporary, 'old'), ''));
    const rename = fs.rename.bind(fs);
    vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      if (String(from).endsWith('.partial')) throw Object.assign(new Error('no'), { code: 'EPERM' });
      await rename(from, to);
    });
    await expect(
      atomicFolder(path, async temporary => fs.writeFile(join(temporary, 'new'), ''), { replace: true }),
    ).rejects.toMatchObject({ code: 'E_IO' });
    expect(await tree()).toEqual(['x', 'x/old']);
  });

  it('forces files to the disk before the rename, and the names after it', async () => {
    const calls: string[] = [];
    const open = fs.open.bind(fs);
    const rename = fs.rename.bind(fs);
    vi.spyOn(fs, 'open').mockImplementation(async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      const sync = handle.sync.bind(handle);
      handle.sync = async () => {
        calls.push(
          `sync ${String(path)
            .split('/')
            .at(-1)!
            .replace(/^\.x\..*/, 'partial')}`,
        );
        await sync();
      };
      return handle;
    });
    vi.spyOn(fs, 'rename').mockImplementation(async (from, to) => {
      calls.push('rename');
      await rename(from, to);
    });
    await atomicFolder(join(folder, 'x'), async temporary => {
      await fs.mkdir(join(temporary, 'sub'));
      await fs.writeFile(join(temporary, 'sub', 'a'), '');
    });
    expect(calls).toEqual(['sync a', 'sync sub', 'sync partial', 'rename', `sync ${folder.split('/').at(-1)}`]);
  });

  it('lists nothing where there is no folder', async () => {
    expect(await completeFolders(join(folder, 'absent'))).toEqual([]);
  });
});

describe.each(['ENOSPC', 'EDQUOT'])('a disk that answers %s', code => {
  const full = Object.assign(new Error(code), { code });

  /** Files opened from here on fail at one of their operations. */
  function breakAt(operation: 'write' | 'sync'): void {
    const open = fs.open.bind(fs);
    vi.spyOn(fs, 'open').mockImplementation(async (path, flags, mode) => {
      const handle = await open(path, flags, mode);
      handle[operation] = async () => {
        throw full;
      };
      return handle;
    });
  }

  it.each(['write', 'sync'] as const)('leaves the old file and nothing else, when it shows at %s', async operation => {
    await atomicWriteFile(join(folder, 'x'), 'old');
    breakAt(operation);
    await expect(atomicWriteFile(join(folder, 'x'), 'new')).rejects.toMatchObject({
      code: 'E_DISK_FULL',
      details: { code },
    });
    vi.restoreAllMocks();
    expect(await text('x')).toBe('old');
    expect(await tree()).toEqual(['x']);
  });

  it('leaves the old folders and nothing else', async () => {
    await atomicFolder(join(folder, 'step-1'), async temporary => fs.writeFile(join(temporary, 'a'), '1'));
    const failing = atomicFolder(join(folder, 'step-2'), async temporary => {
      await fs.writeFile(join(temporary, 'a'), '1');
      throw full;
    });
    await expect(failing).rejects.toMatchObject({ code: 'E_DISK_FULL', details: { code } });
    expect(await tree()).toEqual(['step-1', 'step-1/a']);
  });
});

/** Only root may mount, and not in every container. */
const canMount = ((): boolean => {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = execFileSync('mktemp', ['-d'], { encoding: 'utf8' }).trim();
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', probe]).status === 0;
  if (mounted) spawnSync('umount', [probe]);
  spawnSync('rmdir', [probe]);
  return mounted;
})();
if (!canMount) console.info('skipped: a disk that is really full; mounting one needs root on Linux');

describe.skipIf(!canMount)('a disk of 256 kB that is really full', () => {
  let disk: string;
  beforeEach(async () => {
    disk = join(folder, 'disk');
    await fs.mkdir(disk);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  });
  afterEach(() => {
    const { status } = spawnSync('umount', [disk]);
    if (status !== 0) spawnSync('umount', ['--lazy', disk]);
    expect(status, 'a file was left open on the disk').toBe(0);
  });

  it('keeps the last good file', async () => {
    await atomicWriteFile(join(disk, 'x'), 'good');
    await expect(atomicWriteFile(join(disk, 'x'), new Uint8Array(1 << 20))).rejects.toMatchObject({
      code: 'E_DISK_FULL',
    });
    expect(await text('disk', 'x')).toBe('good');
    expect(await tree(disk)).toEqual(['x']);
    await atomicWriteFile(join(disk, 'x'), new Uint8Array(100 << 10)); // the room is free again
  });

  it('keeps the last good folder', async () => {
    const save = (name: string, bytes: number) =>
      atomicFolder(join(disk, name), async temporary => {
        const sink = await fileSink(join(temporary, 'model.safetensors'));
        await sink.write(new Uint8Array(bytes));
        await sink.finish();
      });
    await save('step-1', 100 << 10);
    await expect(save('step-2', 200 << 10)).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    await expect(
      atomicFolder(join(disk, 'step-3'), temporary => fs.writeFile(join(temporary, 'x'), new Uint8Array(200 << 10))),
    ).rejects.toMatchObject({ code: 'E_DISK_FULL' });
    expect(await tree(disk)).toEqual(['step-1', 'step-1/model.safetensors']);
    await save('step-2', 100 << 10);
    expect(await completeFolders(disk)).toEqual(['step-1', 'step-2']);
  });
});
