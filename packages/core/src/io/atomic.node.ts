/** Files and folders that appear whole or not at all. */

import { promises as fs } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../errors.js';
import { fileSink, syncFolder } from './bytes.node.js';
import { ioFailure, isDiskFull, told } from './failure.node.js';
import { exists, isPartial, partialName, settle } from './partial.node.js';

/**
 * Replaces a file as one step: readers see the old bytes or the new ones.
 *
 * @throws E_DISK_FULL, E_IO; the old file is then as it was and nothing else is left
 */
export async function atomicWriteFile(path: string, data: Uint8Array | string): Promise<void> {
  const sink = await fileSink(path);
  try {
    await sink.write(typeof data === 'string' ? new TextEncoder().encode(data) : data);
    await sink.finish();
  } catch (error) {
    await sink.abort().catch(() => {}); // the first failure says more
    throw error;
  }
}

export interface FolderOptions {
  /** Take the place of a folder that is there already; default false. */
  readonly replace?: boolean;
}

/**
 * Fills a folder under a temporary name, forces everything in it to the disk, and renames it into place.
 *
 * With `replace` the old folder is moved aside first. A process killed between the two renames leaves no folder under
 * the name; `cleanPartials` puts the old one back.
 *
 * @param fill writes into the folder whose path it gets; its failure, or a full disk, removes that folder
 * @returns what `fill` returns, once the folder is in place
 * @throws E_EXISTS when there is such a folder and `replace` is not set; E_DISK_FULL; E_IO
 */
export async function atomicFolder<T>(
  path: string,
  fill: (temporary: string) => Promise<T>,
  { replace = false }: FolderOptions = {},
): Promise<T> {
  await refuseExisting(path, replace);
  const partial = partialName(path);
  try {
    await told(path, 'made', () => fs.mkdir(partial, { recursive: true }));
    const result = await fill(partial);
    await told(path, 'written', () => syncTree(partial));
    await refuseExisting(path, replace);
    await told(path, 'put in place', () => (replace ? swap(partial, path) : fs.rename(partial, path)));
    await syncFolder(dirname(path));
    return result;
  } catch (error) {
    await fs.rm(partial, { recursive: true, force: true }).catch(() => {}); // the first failure says more
    if (isDiskFull(error)) ioFailure(path, 'written', error); // `fill` may write with whatever it likes
    throw error;
  } finally {
    settle(partial);
  }
}

async function refuseExisting(path: string, replace: boolean): Promise<void> {
  if (replace || !(await exists(path))) return;
  fail(
    'E_EXISTS',
    `${path}: expected a new folder, received one that exists. Choose another name, or pass replace: true.`,
    { path },
  );
}

/** The old folder goes aside whole, the new one takes its name, then the old one is removed. */
async function swap(partial: string, path: string): Promise<void> {
  if (!(await exists(path))) return fs.rename(partial, path);
  const aside = partialName(path, 'replaced');
  try {
    await fs.rename(path, aside);
    try {
      await fs.rename(partial, path);
    } catch (error) {
      await fs.rename(aside, path);
      throw error;
    }
    await fs.rm(aside, { recursive: true, force: true });
  } finally {
    settle(aside);
  }
}

/** Forces every file and folder below to the disk, deepest first. */
async function syncTree(folder: string): Promise<void> {
  for (const entry of await fs.readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncFile(path);
  }
  await syncFolder(folder);
}

async function syncFile(path: string): Promise<void> {
  const handle = await fs.open(path, process.platform === 'win32' ? 'r+' : 'r'); // Windows flushes only what may be written
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * Names of the whole folders in a folder, sorted: what is being written, or was when its process died, is not among them.
 * No folder at all counts as an empty one.
 *
 * @throws E_IO when it cannot be read
 */
export async function completeFolders(folder: string): Promise<readonly string[]> {
  if (!(await exists(folder))) return [];
  const entries = await told(folder, 'listed', () => fs.readdir(folder, { withFileTypes: true }));
  return entries
    .filter(entry => entry.isDirectory() && !isPartial(entry.name))
    .map(entry => entry.name)
    .sort();
}
