/**
 * Unfinished files and folders: how they are called, and what becomes of those whose process died.
 *
 * They stand beside what they will become, because only a rename within one file system is atomic:
 * `.<name>.<host>-<process>-<random>.partial`, and `….replaced` for what a rename moved aside.
 */

import { createHash, randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { told } from './failure.node.js';

/** Unfinished work of other machines on a shared disk is taken for abandoned after this time. Milliseconds. */
const abandonedAfter = 24 * 60 * 60 * 1000;

const pattern = /^\.(.+)\.([0-9a-f]{8})-(\d+)-[0-9a-f]{12}\.(partial|replaced)$/s;

/** Names given out by this process and not yet settled: its number alone may be that of a dead one. */
const active = new Set<string>();

const hostTag = (): string => createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** A name beside `path` for what will become it. Call `settle` when it is renamed or removed. */
export function partialName(path: string, kind: 'partial' | 'replaced' = 'partial'): string {
  const name = `.${basename(path)}.${hostTag()}-${process.pid}-${randomBytes(6).toString('hex')}.${kind}`;
  active.add(name);
  return join(dirname(path), name);
}

export const settle = (partial: string): void => void active.delete(basename(partial));

/** True for names that `partialName` gives. */
export const isPartial = (name: string): boolean => pattern.test(name);

/**
 * Removes what killed processes left unfinished in a folder, and puts back what a killed replacement had moved aside.
 *
 * Leaves alone what a living process of this machine is writing, and what another machine touched within a day.
 *
 * @returns the names removed or put back, sorted
 * @throws E_IO when the folder cannot be read or something cannot be removed
 */
export async function cleanPartials(folder: string): Promise<readonly string[]> {
  const names = await told(folder, 'listed', () => fs.readdir(folder));
  const cleaned: string[] = [];
  for (const name of names.filter(isPartial).sort()) {
    const path = join(folder, name);
    if (!(await isAbandoned(path, name))) continue;
    await told(path, 'cleaned', () => clean(folder, name));
    cleaned.push(name);
  }
  return cleaned;
}

async function clean(folder: string, name: string): Promise<void> {
  const [, original, , , kind] = pattern.exec(name)!;
  const path = join(folder, name);
  const home = join(folder, original!);
  // Killed between two renames: the old one is whole, the new one never came. No other process restores it meanwhile
  // with different content, so looking first is enough.
  if (kind === 'replaced' && !(await exists(home))) await fs.rename(path, home);
  else await fs.rm(path, { recursive: true, force: true });
}

async function isAbandoned(path: string, name: string): Promise<boolean> {
  const [, , host, pid] = pattern.exec(name)!;
  if (active.has(name)) return false;
  if (host === hostTag() && (Number(pid) === process.pid || !isAlive(Number(pid)))) return true;
  const touched = (await fs.stat(path).catch(() => null))?.mtimeMs ?? Date.now(); // gone: somebody else cleaned it
  return Date.now() - touched > abandonedAfter;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0); // signal 0 only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'; // it lives, as another user's
  }
}

export const exists = async (path: string): Promise<boolean> => (await fs.lstat(path).catch(() => null)) !== null;
