/** Where bytes come from and go to: memory, blobs, HTTP; files are in `bytes.node.ts`. */

import { fail } from '../errors.js';

/** Random access to something that does not change while it is open. */
export interface ByteSource {
  /** Bytes. */
  readonly size: number;
  /** For messages: a path, an address. */
  readonly name: string;
  /**
   * Bytes `start` (included) to `end` (not included). May share memory with the source: do not write to it.
   *
   * @throws E_IO when the range leaves the source, or fewer bytes come than the size promised
   */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Takes bytes in order. Nobody sees them before `finish`; after `abort`, or a failure, nothing is left of them. */
export interface ByteSink {
  readonly name: string;
  /** Keeps no reference to `chunk` once the promise settles. */
  write(chunk: Uint8Array): Promise<void>;
  finish(): Promise<void>;
  /** May be called at any time and more than once; does nothing after `finish` or a failure. */
  abort(): Promise<void>;
}

/**
 * Refuses ranges that leave the source.
 *
 * @throws E_IO
 */
export function checkRange(source: { readonly name: string; readonly size: number }, start: number, end: number): void {
  if (Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start <= end && end <= source.size)
    return;
  fail(
    'E_IO',
    `${source.name}: expected a range within its ${source.size} bytes, received ${start} to ${end}. Check the offsets.`,
    {
      name: source.name,
      reason: 'range',
      start,
      end,
      size: source.size,
    },
  );
}

export function shortRead(name: string, expected: number, received: number): never {
  fail(
    'E_IO',
    `${name}: expected ${expected} bytes, received ${received}. It was changed or cut while it was read; fetch it again.`,
    {
      name,
      reason: 'short',
      expected,
      received,
    },
  );
}

/** Bytes in memory; ranges are views. */
export function memorySource(bytes: Uint8Array, name = 'memory'): ByteSource {
  const source = { size: bytes.length, name };
  return {
    ...source,
    async read(start, end) {
      checkRange(source, start, end);
      return bytes.subarray(start, end);
    },
    close: async () => {},
  };
}

/** What `blobSource` needs of a Blob or File. */
export interface BlobLike {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** A Blob, such as a file that a user chose in a page. */
export function blobSource(blob: BlobLike, name = 'blob'): ByteSource {
  const source = { size: blob.size, name };
  return {
    ...source,
    async read(start, end) {
      checkRange(source, start, end);
      const bytes = new Uint8Array(await blob.slice(start, end).arrayBuffer());
      if (bytes.length !== end - start) shortRead(name, end - start, bytes.length);
      return bytes;
    },
    close: async () => {},
  };
}

/** Gathers what is written; `bytes()` gives it once finished. */
export function memorySink(name = 'memory'): ByteSink & { bytes(): Uint8Array } {
  let chunks: Uint8Array[] = [];
  let whole: Uint8Array | null = null;
  return {
    name,
    async write(chunk) {
      chunks.push(chunk.slice());
    },
    async finish() {
      whole = joined(
        chunks,
        chunks.reduce((sum, chunk) => sum + chunk.length, 0),
      );
      chunks = [];
    },
    async abort() {
      chunks = [];
      whole = null;
    },
    bytes: () =>
      whole ??
      fail(
        'E_IO',
        `${name}: expected to be finished before it is read, received an unfinished sink. Await finish() first.`,
        { name, reason: 'unfinished' },
      ),
  };
}

function joined(chunks: readonly Uint8Array[], size: number): Uint8Array {
  const out = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    out.set(chunk, at);
    at += chunk.length;
  }
  return out;
}
