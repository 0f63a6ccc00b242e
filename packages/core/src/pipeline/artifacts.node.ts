/** A store in a folder: files by SHA-256, results by key, written whole or not at all. */

import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fail, isHeddleError } from '../errors.js';
import { checkRange, shortRead, type ByteSink } from '../io/bytes.js';
import { abortedArtifact, missingArtifact, parseUri, pour, refuseLabel, uriOf, type Artifacts } from './artifacts.js';
import type { Store } from './executor.js';
import type { StageResult, StageResults } from './results.js';

/** Beginnings of files older than this belong to no living process. */
const abandonedAfter = 24 * 60 * 60 * 1000; // milliseconds

/**
 * Opens a folder as a store, made if need be: `files/` by hash, `results/` by stage key, `unfinished/` for what is being
 * written. Several processes may share it.
 *
 * @throws E_STORE when the folder cannot be made or written to
 */
export async function openFolderStore(folder: string): Promise<Store> {
  const root = resolve(folder);
  const unfinished = join(root, 'unfinished');
  await told(root, 'opened', async () => {
    for (const part of ['files', 'results', 'unfinished']) await mkdir(join(root, part), { recursive: true });
    await sweep(unfinished);
  });
  return { artifacts: folderArtifacts(root, unfinished), results: folderResults(root, unfinished) };
}

function folderArtifacts(root: string, unfinished: string): Artifacts {
  const pathOf = (hash: string): string => join(root, 'files', hash.slice(0, 2), hash); // the name is no part of it
  const store: Artifacts = {
    put: (name, content) => store.write(name, sink => pour(content, sink)),
    async write(name, use) {
      refuseLabel(name);
      const { path, hash } = await writeUnfinished(root, unfinished, name, use);
      await settle(root, path, pathOf(hash));
      return uriOf(hash, name);
    },
    async open(uri) {
      const { hash, name } = parseUri(uri);
      const path = pathOf(hash);
      const size = (await statOrNull(path))?.size ?? missingArtifact(uri, root);
      const source = { name, size };
      return {
        ...source,
        uri,
        path,
        async bytes() {
          const bytes = await told(root, 'read', () => readFile(path));
          const found = createHash('sha256').update(bytes).digest('hex');
          if (found !== hash) changed(uri, path, found);
          return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        },
        async read(start, end) {
          checkRange(source, start, end);
          return told(root, 'read', () => readRange(path, start, end));
        },
        stream: () => createReadStream(path),
        close: async () => undefined, // every read opens the file for itself: nothing is held
      };
    },
    async has(uri) {
      return (await statOrNull(pathOf(parseUri(uri).hash)))?.isFile() ?? false;
    },
  };
  return store;
}

function folderResults(root: string, unfinished: string): StageResults {
  const pathOf = (key: string): string => {
    if (!/^[0-9a-f]{64}$/.test(key))
      fail(
        'E_STORE',
        `store ${root}: expected a key of 64 hexadecimal digits, received '${key.slice(0, 80)}'. Use stageKey().`,
        { key },
      );
    return join(root, 'results', `${key}.json`);
  };
  return {
    async read(key) {
      const path = pathOf(key);
      if ((await statOrNull(path)) === null) return null;
      return resultIn(await told(root, 'read', () => readFile(path, 'utf8')), key);
    },
    async write(result) {
      const target = pathOf(result.key);
      const text = new TextEncoder().encode(`${JSON.stringify(result)}\n`);
      const { path } = await writeUnfinished(root, unfinished, target, sink => sink.write(text));
      await settle(root, path, target);
    },
  };
}

/** What is no whole result of this key counts as none: the stage then runs again, which mends the file. */
function resultIn(text: string, key: string): StageResult | null {
  try {
    const result = JSON.parse(text) as Partial<StageResult> | null;
    return result?.key === key && 'output' in result ? (result as StageResult) : null;
  } catch {
    return null;
  }
}

/** Writes under a name that no reader looks at, to the disk and not only to its cache. */
async function writeUnfinished(
  root: string,
  unfinished: string,
  name: string,
  use: (sink: ByteSink) => Promise<void>,
): Promise<{ readonly path: string; readonly hash: string }> {
  const path = join(unfinished, randomUUID());
  const hash = createHash('sha256');
  const file = await told(root, 'written to', () => open(path, 'wx'));
  let aborted = false;
  try {
    try {
      await use({
        name,
        async write(chunk) {
          hash.update(chunk);
          await told(root, 'written to', () => file.writeFile(chunk)); // goes on where the last write ended
        },
        finish: async () => undefined,
        abort: async () => void (aborted = true),
      });
      if (aborted) abortedArtifact(name);
      await told(root, 'written to', () => file.sync());
    } finally {
      await file.close();
    }
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
  return { path, hash: hash.digest('hex') };
}

/** Gives a finished file its name; from here on readers find it. */
async function settle(root: string, from: string, to: string): Promise<void> {
  try {
    await told(root, 'written to', async () => {
      const folder = resolve(to, '..');
      await mkdir(folder, { recursive: true });
      await rename(from, to);
      await syncFolder(folder);
    });
  } catch (error) {
    await rm(from, { force: true });
    throw error;
  }
}

/** So that the new name survives a power cut too; Windows cannot open folders and does without. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {
    // best effort: the file itself is on disk
  }
}

async function readRange(path: string, start: number, end: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  const file = await open(path, 'r');
  try {
    let done = 0;
    while (done < bytes.length) {
      const { bytesRead } = await file.read(bytes, done, bytes.length - done, start + done);
      if (bytesRead === 0) shortRead(path, bytes.length, done);
      done += bytesRead;
    }
    return bytes;
  } finally {
    await file.close();
  }
}

async function sweep(unfinished: string): Promise<void> {
  for (const name of await readdir(unfinished)) {
    const path = join(unfinished, name);
    const age = Date.now() - ((await statOrNull(path))?.mtimeMs ?? Date.now());
    if (age > abandonedAfter) await rm(path, { force: true });
  }
}

const statOrNull = async (path: string) => stat(path).catch(() => null);

function changed(uri: string, path: string, found: string): never {
  fail(
    'E_ARTIFACT',
    `artifact '${uri}': expected the bytes of that hash in ${path}, found bytes with the hash ${found}. The file was changed or the disk is failing; delete it and run its stage again.`,
    {
      uri,
      path,
      found,
    },
  );
}

/** Does something with the folder and says what failed in words: a full disk, a missing right. */
async function told<T>(root: string, what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isHeddleError(error)) throw error;
    const code = (error as NodeJS.ErrnoException | null)?.code;
    const advice =
      code === 'ENOSPC'
        ? 'The disk is full: free space, nothing half-written was left.'
        : 'Check the path and your rights to it.';
    return fail(
      'E_STORE',
      `store ${root}: could not be ${what}: ${error instanceof Error ? error.message : String(error)}. ${advice}`,
      { folder: root, code },
      error,
    );
  }
}
