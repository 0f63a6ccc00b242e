/** The folder of a training run: what is in it, whether it may be used, and who is using it. */

import { mkdir, open, readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fail, isHeddleError } from '@heddle/core';
import { checkpointFolder, cleanPartials } from '@heddle/core/node';
import { readJsonObject, writeJson } from './json-file.js';
import type { TrainSettings } from './settings.js';

/** Names in the folder. */
export const places = (folder: string) => ({
  config: join(folder, 'config.json'),
  tokenizer: join(folder, 'tokenizer.json'),
  checkpoints: join(folder, 'checkpoints'),
  events: join(folder, 'events.jsonl'),
  model: join(folder, 'model'),
  report: join(folder, 'report.html'),
  corpus: join(folder, 'corpus.json'),
  lock: join(folder, 'running.json'),
});

export type RunState =
  | { readonly kind: 'absent' }
  /** Something, but no run. */
  | { readonly kind: 'other'; readonly entries: readonly string[] }
  | {
      readonly kind: 'run';
      readonly settings: TrainSettings;
      /** Of the newest checkpoint; null when there is none yet. */
      readonly step: number | null;
      /** It has a `model/`. */
      readonly finished: boolean;
    };

/** @throws E_RUN for a description that is not one of ours */
export async function lookAtRun(folder: string): Promise<RunState> {
  const entries = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    return fail(
      'E_FILE',
      `${folder}: expected a folder for a run, received ${error.code === 'ENOTDIR' ? 'a file' : String(error.code)}. Name another --out.`,
      { folder },
      error,
    );
  });
  if (entries === null || entries.length === 0) return { kind: 'absent' };
  if (!entries.includes('config.json')) {
    const others = entries.filter(name => !leftBehind.test(name));
    return others.length === 0 ? { kind: 'absent' } : { kind: 'other', entries: others };
  }
  const at = places(folder);
  const { format, settings } = await readJsonObject(at.config, 'the description of a run');
  if (format !== runFormat || typeof settings !== 'object' || settings === null) {
    fail(
      'E_RUN',
      `${at.config}: expected format '${runFormat}', received ${JSON.stringify(format) ?? 'none'}. Name the folder of a run, or another --out.`,
      { folder, format },
    );
  }
  if (entries.includes('checkpoints')) await cleanPartials(at.checkpoints);
  const step = (await checkpointFolder(at.checkpoints).steps()).at(-1) ?? null;
  const finished = entries.includes('model');
  return { kind: 'run', settings: settings as unknown as TrainSettings, step, finished }; // written by `beginRun`
}

const runFormat = 'heddle-run-1';
/** Of a process killed while it began: no reason to refuse the folder. */
const leftBehind = /^running\.json$|\.partial$/;

/** @throws E_EXISTS unless the folder is new or empty */
export function refuseUsed(folder: string, state: RunState): void {
  if (state.kind === 'absent') return;
  if (state.kind === 'other') {
    fail(
      'E_EXISTS',
      `${folder}: expected a new or empty folder, received one with ${state.entries.slice(0, 3).join(', ')}${state.entries.length > 3 ? ' and more' : ''}. Name another --out.`,
      { folder },
    );
  }
  const where = state.finished ? 'finished' : state.step === null ? 'without a checkpoint' : `at step ${state.step}`;
  const advice =
    state.step === null ? 'Delete it, or name another --out.' : 'Go on with it with --resume, or name another --out.';
  fail('E_EXISTS', `${folder}: expected a new or empty folder, received one with a run (${where}). ${advice}`, {
    folder,
    step: state.step,
  });
}

/** Writes what the run is, before it starts. */
export async function describeRun(
  folder: string,
  settings: TrainSettings,
  versions: Readonly<Record<string, string>>,
): Promise<void> {
  await writeJson(places(folder).config, { format: runFormat, settings, versions, node: process.versions.node });
}

/**
 * Keeps other processes out of the folder until it is closed.
 *
 * @throws E_BUSY while a living process of this machine holds it
 */
export async function holdRun(folder: string): Promise<{ close(): Promise<void> }> {
  const { lock } = places(folder);
  await mkdir(folder, { recursive: true });
  const mine = JSON.stringify({ pid: process.pid, host: hostname() });
  for (let attempt = 0; ; attempt++) {
    try {
      const file = await open(lock, 'wx');
      await file.writeFile(mine);
      await file.close();
      return { close: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 0) {
        if (isHeddleError(error)) throw error;
        fail(
          'E_FILE',
          `${folder}: expected a folder that can be written, received ${String((error as NodeJS.ErrnoException).code ?? error)}. Check permissions and free space, or name another --out.`,
          { folder },
          error,
        );
      }
      const other = await holder(lock);
      if (other !== null) {
        fail(
          'E_BUSY',
          `${folder}: expected a run that nobody else works on, received one that process ${other} has open. Wait for it, stop it, or name another --out.`,
          { folder, pid: other },
        );
      }
      await rm(lock, { force: true }); // its process is gone
    }
  }
}

/** The process that holds the lock, if it lives; on another machine nobody can know, and an hour's silence means no. */
async function holder(lock: string): Promise<number | null> {
  try {
    const { pid, host } = JSON.parse(await readFile(lock, 'utf8')) as { readonly pid: number; readonly host: string };
    if (host !== hostname()) return Date.now() - (await stat(lock)).mtimeMs < 3_600_000 ? pid : null;
    if (pid === process.pid) return null;
    process.kill(pid, 0); // only asks
    return pid;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM' ? -1 : null;
  }
}

/** Renames a folder to FOLDER.before. One run is kept: the one before the last. @returns where it is */
export async function moveAside(folder: string): Promise<string> {
  const before = `${folder.replace(/[\\/]+$/, '')}.before`;
  await (await holdRun(folder)).close(); // nobody works on it
  await rm(before, { recursive: true, force: true });
  await rename(folder, before);
  return before;
}

/** A file or a folder. */
export const exists = async (path: string): Promise<boolean> => (await stat(path).catch(() => null)) !== null;
