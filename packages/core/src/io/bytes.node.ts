/** Files as byte sources and sinks. */

import { promises as fs } from 'node:fs';
import { dirname } from 'node:path';
import { checkRange, shortRead, type ByteSink, type ByteSource } from './bytes.js';
import { told } from './failure.node.js';
import { partialName, settle } from './partial.node.js';

type FileHandle = Awaited<ReturnType<typeof fs.open>>;

/** Linux moves at most 2 GiB in one call; Node refuses more. */
const maxTransfer = 0x4000_0000;

/**
 * Opens a file for reading at any place. The caller owns it: `close` frees the handle.
 *
 * @throws E_IO when it cannot be opened, or is no regular file
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const handle = await told(path, 'opened for reading', () => fs.open(path, 'r'));
  const size = await told(path, 'a file', async () => {
    const stat = await handle.stat();
    if (!stat.isFile())
      throw Object.assign(new Error('no regular file'), { code: stat.isDirectory() ? 'EISDIR' : 'EINVAL' });
    return stat.size;
  }).catch(async (error: unknown) => {
    await handle.close();
    throw error;
  });
  const source = { size, name: path };
  let open = true;
  return {
    ...source,
    async read(start, end) {
      checkRange(source, start, end);
      return told(path, 'read', () => readRange(handle, start, end, path));
    },
    async close() {
      if (!open) return;
      open = false;
      await told(path, 'closed', () => handle.close());
    },
  };
}

async function readRange(handle: FileHandle, start: number, end: number, path: string): Promise<Uint8Array> {
  const bytes = new Uint8Array(end - start);
  for (let done = 0; done < bytes.length;) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(maxTransfer, bytes.length - done), start + done);
    if (bytesRead === 0) shortRead(path, bytes.length, done);
    done += bytesRead;
  }
  return bytes;
}

/**
 * Writes a file that appears whole or not at all: under a temporary name in the same folder, forced to the disk, then
 * renamed over `path`.
 *
 * @throws E_DISK_FULL, E_IO; either leaves what `path` held before and removes the temporary file at once, whoever
 *   forgets to abort: an open handle would keep the room of a full disk taken
 */
export async function fileSink(path: string): Promise<ByteSink> {
  const partial = partialName(path);
  let handle: FileHandle | null = await told(path, 'written', () => fs.open(partial, 'wx')).catch((error: unknown) => {
    settle(partial);
    throw error;
  });
  let at = 0;
  let settled = false;

  async function release(): Promise<void> {
    const held = handle;
    handle = null;
    await held?.close();
  }

  async function abort(): Promise<void> {
    if (settled) return;
    settled = true;
    await release().catch(() => {}); // a full disk may show at close; the file goes anyway
    await told(partial, 'removed', () => fs.rm(partial, { force: true }));
    settle(partial);
  }

  async function orAbort(act: () => Promise<void>): Promise<void> {
    try {
      await told(path, 'written', act);
    } catch (error) {
      await abort().catch(() => {}); // the first failure says more
      throw error;
    }
  }

  return {
    name: path,
    abort,
    write(chunk) {
      const start = at;
      at += chunk.length; // before waiting, so that calls made meanwhile go behind this one
      return orAbort(() => writeAt(handle, chunk, start));
    },
    finish: () =>
      orAbort(async () => {
        if (handle === null) notOpen();
        await handle.sync();
        await release();
        await fs.rename(partial, path);
        settled = true;
        settle(partial);
        await syncFolder(dirname(path));
      }),
  };
}

async function writeAt(handle: FileHandle | null, chunk: Uint8Array, start: number): Promise<void> {
  if (handle === null) notOpen();
  for (let done = 0; done < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, done, Math.min(maxTransfer, chunk.length - done), start + done);
    done += bytesWritten;
  }
}

function notOpen(): never {
  throw Object.assign(new Error('finished or aborted'), { code: 'EBADF' });
}

/** Forces names to the disk: a rename survives a power cut only after this. Windows cannot, and need not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return;
  await told(folder, 'synchronised', async () => {
    const handle = await fs.open(folder, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  });
}
