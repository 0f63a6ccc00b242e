/**
 * The folder in which a merge grows: hidden, beside the result, and renamed into its place when all of it is there.
 *
 * `manifest.jsonl` in it lists finished ranges with their hashes, one line each, so that a merge that was killed goes on.
 */

import { closeSync, constants, openSync, promises as fs, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fail } from '@heddle/core';

export interface Finished {
  readonly file: string;
  readonly at: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly crc32: number;
}

export interface WorkFolder {
  readonly path: string;
  /** From an earlier run of the same merge. */
  readonly finished: readonly Finished[];
  note(finished: Finished): void;
  /** Puts the folder into its place. */
  finish(): Promise<void>;
  /** Leaves it for another run. */
  release(): Promise<void>;
}

export interface WorkOptions {
  /** Take the place of a folder that is there. */
  readonly replace: boolean;
  /** Begin anew, whatever was begun. */
  readonly restart: boolean;
}

const manifestName = 'manifest.jsonl';
const lockName = 'lock';

/** Where the work on `out` is done. */
export const workPath = (out: string): string => join(dirname(out), `.${basename(out)}.merging`);
const asidePath = (out: string): string => join(dirname(out), `.${basename(out)}.replaced`);

/**
 * @param key what is merged, from what, with what: work that was begun with another is not gone on with
 * @throws E_EXISTS, E_BUSY, E_RESUME, E_IO
 */
export async function openWorkFolder(out: string, key: string, { replace, restart }: WorkOptions): Promise<WorkFolder> {
  const path = workPath(out);
  await refuseOccupied(out, replace);
  const there = await isThere(out);
  await told(dirname(out), () => fs.mkdir(dirname(out), { recursive: true }));
  await told(path, () => fs.mkdir(path, { recursive: true }));
  const unlock = await lock(path);
  let handle = -1;
  try {
    // A kill between two renames leaves the old result aside; if the new one is in place, it is not needed any more.
    if (there) await fs.rm(asidePath(out), { recursive: true, force: true });
    const before = restart ? null : await readManifest(path);
    if (before !== null && before.key !== key)
      fail('E_RESUME', `${path}: expected the work of the same merge, received that of another (its recipe, options or inputs differ). Remove it, or begin anew with --restart.`, { path }); // prettier-ignore
    if (before === null) {
      for (const name of await fs.readdir(path))
        if (name !== lockName) await fs.rm(join(path, name), { recursive: true, force: true });
      await told(path, () =>
        fs.writeFile(join(path, manifestName), `${JSON.stringify({ format: 'heddle-merge-1', key })}\n`),
      );
    } else if (before.torn) await fs.writeFile(join(path, manifestName), before.whole);
    handle = openSync(join(path, manifestName), constants.O_WRONLY | constants.O_APPEND);
    const finished = before?.finished ?? [];
    const manifest = handle;
    return {
      path,
      finished,
      note: one => void writeSync(manifest, `${JSON.stringify(one)}\n`),
      async finish() {
        closeSync(manifest);
        await fs.rm(join(path, manifestName));
        await unlock();
        await putInPlace(path, out);
      },
      async release() {
        closeSync(manifest);
        await unlock();
      },
    };
  } catch (error) {
    if (handle !== -1) closeSync(handle);
    await unlock();
    throw error;
  }
}

/** @throws E_EXISTS for a folder with something in it */
export async function refuseOccupied(out: string, replace: boolean): Promise<void> {
  if (replace || !(await isThere(out)) || (await isEmpty(out))) return;
  fail(
    'E_EXISTS',
    `${out}: expected a new or empty folder, received one with files. Name another --out, or replace it with --force.`,
    { out },
  );
}

/** Renames a whole folder to its name; what had it goes aside first and is removed after. */
export async function putInPlace(path: string, out: string): Promise<void> {
  if (await isThere(out)) await fs.rename(out, asidePath(out));
  await told(out, () => fs.rename(path, out));
  await syncFolder(dirname(out));
  await fs.rm(asidePath(out), { recursive: true, force: true });
}

/** A last line that was cut by a kill is no line. */
async function readManifest(path: string): Promise<{
  readonly key: string;
  readonly finished: readonly Finished[];
  readonly torn: boolean;
  readonly whole: string;
} | null> {
  const text = await fs.readFile(join(path, manifestName), 'utf8').catch(() => null);
  if (text === null) return null;
  const end = text.lastIndexOf('\n') + 1;
  const lines = text.slice(0, end).split('\n').slice(0, -1);
  try {
    const [head, ...rest] = lines.map(line => JSON.parse(line) as Record<string, unknown>);
    if (head?.['format'] !== 'heddle-merge-1' || typeof head['key'] !== 'string') return null;
    return {
      key: head['key'],
      finished: rest as unknown as readonly Finished[],
      torn: end < text.length,
      whole: text.slice(0, end),
    };
  } catch {
    return null; // damaged: nothing that it says can be trusted
  }
}

/** @returns what gives the lock back */
async function lock(path: string): Promise<() => Promise<void>> {
  const file = join(path, lockName);
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      await fs.writeFile(file, String(process.pid), { flag: 'wx' });
      return () => fs.rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const owner = Number(await fs.readFile(file, 'utf8').catch(() => ''));
      if (owner > 0 && owner !== process.pid && isAlive(owner))
        fail('E_BUSY', `${path}: expected nobody to work on it, received process ${owner}, which does. Wait for it, or name another --out.`, { path, owner }); // prettier-ignore
      await fs.rm(file, { force: true }); // of a process that was killed
    }
  }
  return fail('E_BUSY', `${path}: expected nobody to work on it, received others that do. Wait for them.`, { path });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

const isThere = async (path: string): Promise<boolean> => (await fs.lstat(path).catch(() => null)) !== null;
const isEmpty = async (path: string): Promise<boolean> => (await fs.readdir(path).catch(() => ['a file'])).length === 0;

export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await fs.open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function told<T>(path: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code?.startsWith('E_')) throw error;
    return code === 'ENOSPC' || code === 'EDQUOT'
      ? fail(
          'E_DISK_FULL',
          `${path}: expected room to be written, received ${code}. Free some space and run the same command again.`,
          { path, code },
          error,
        )
      : fail(
          'E_IO',
          `${path}: expected to be written, received ${code ?? message}. Check the path and your rights to it.`,
          { path, code, reason: 'system' },
          error,
        );
  }
}
