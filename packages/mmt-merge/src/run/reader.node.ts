/** Reading the numbers of a source, some rows at a time, in a thread that may wait for the disk. */

import { closeSync, openSync, readSync } from 'node:fs';
import { fail, type MergeArray } from '@heddle/core';
import { byteSize, elementCount, type StorageDtype } from '@heddle/core/files';
import type { AdaptedSource, RowsSource, Source, StoredSource } from '../plan/source.js';
import { storedBytes } from '../plan/source.js';
import { simd } from '../simd/simd.js';
import type { Converter } from './convert.js';

/** Files open for reading, by path. */
export interface Files {
  /** Fills `into`, whole. @throws E_IO */
  read(path: string, into: Uint8Array, start: number): void;
  /** Bytes read so far. */
  readonly bytes: number;
  close(): void;
}

/** Linux moves at most 2 GiB in one call; Node refuses more. */
const maxTransfer = 0x4000_0000;

export function openFiles(): Files {
  const handles = new Map<string, number>();
  let bytes = 0;
  return {
    get bytes() {
      return bytes;
    },
    read(path, into, start) {
      let handle = handles.get(path);
      try {
        if (handle === undefined) handles.set(path, (handle = openSync(path, 'r')));
        for (let done = 0; done < into.length;) {
          const got = readSync(handle, into, done, Math.min(maxTransfer, into.length - done), start + done);
          if (got === 0) shortRead(path, into.length, done);
          done += got;
        }
      } catch (error) {
        if ((error as { code?: string }).code?.startsWith('E_')) throw error;
        const code = (error as NodeJS.ErrnoException).code ?? String(error);
        fail(
          'E_IO',
          `${path}: expected to be read, received ${code}. Check the path and your rights to it.`,
          { path, code, reason: 'system' },
          error,
        );
      }
      bytes += into.length;
    },
    close() {
      for (const handle of handles.values()) closeSync(handle);
      handles.clear();
    },
  };
}

const shortRead = (path: string, expected: number, received: number): never =>
  fail('E_IO', `${path}: expected ${expected} bytes, received ${received}. It was changed or cut while it was read; fetch it again.`, { path, reason: 'short', expected, received }); // prettier-ignore

/**
 * Elements from `start` on, `length` of them; both whole rows for what has rows.
 *
 * @returns `out` with its beginning filled, or an array that is not to be written to, where the numbers lie as they are
 */
export type Read = (start: number, length: number, out: MergeArray) => MergeArray;

/** `read`, into `out` in any case. */
export function readInto(read: Read, start: number, length: number, out: MergeArray): void {
  const found = read(start, length, out);
  if (found !== out) out.set(found);
}

export interface ReadOptions {
  readonly files: Files;
  readonly converter: Converter;
  /** Keep the bytes of whole tensors, for several passes. */
  readonly hold: boolean;
  /** Bytes to be read at once, where what is asked is less; 0 for what is asked here and there. */
  readonly ahead: number;
  /** Elements from here on are not wanted. */
  readonly to: number;
}

export function readerOf(source: Source, options: ReadOptions): Read {
  switch (source.kind) {
    case 'stored':
      return stored(source, options);
    case 'adapted':
      return adapted(source, options);
    case 'rows':
      return rearranged(source, options);
  }
}

function stored(source: StoredSource, { files, converter, hold, ahead: bytes, to }: ReadOptions): Read {
  const { file, dtype, start: base } = source;
  const size = byteSize[dtype];
  const take = (bytes: Uint8Array<ArrayBuffer>, at: number, length: number, out: MergeArray): MergeArray => {
    if (dtype === 'F32' && out instanceof Float32Array && bytes.buffer === out.buffer)
      return new Float32Array(bytes.buffer, bytes.byteOffset + at * 4, length);
    converter.widen(bytes.subarray(at * size), dtype, length, out);
    return out;
  };
  const memory = (length: number): Uint8Array<ArrayBuffer> => simd()?.borrow(length) ?? new Uint8Array(length);
  if (hold) {
    let held: Uint8Array<ArrayBuffer> | null = null;
    return (start, length, out) => {
      if (held === null) files.read(file, (held = memory(storedBytes(source))), base);
      return take(held, start, length, out);
    };
  }
  // Some pieces ahead: a disk that serves several files by turns likes long reads.
  const ahead = Math.floor(bytes / size);
  const end = Math.min(elementCount(source.shape), to);
  let block = new Uint8Array(0);
  let from = 0;
  let until = 0;
  return (start, length, out) => {
    if (start < from || start + length > until) {
      from = start;
      until = Math.max(start + length, Math.min(end, start + ahead));
      const wanted = (until - from) * size;
      if (block.length < wanted) block = memory(wanted);
      files.read(file, block.subarray(0, wanted), base + from * size);
    }
    return take(block, start - from, length, out);
  };
}

const widthOf = ({ shape }: Source): number => elementCount(shape.slice(1));

/** All numbers of a small tensor. */
function whole(source: StoredSource, { files, converter }: ReadOptions): Float32Array {
  const bytes = new Uint8Array(storedBytes(source));
  files.read(source.file, bytes, source.start);
  const out = new Float32Array(elementCount(source.shape));
  converter.widen(bytes, source.dtype, out.length, out);
  return out;
}

function transpose(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) out[j * rows + i] = data[i * columns + j]!;
  return out;
}

function adapted(source: AdaptedSource, options: ReadOptions): Read {
  const { base, left, right, scale, transposed } = source;
  const under = base === null ? null : readerOf(base, options);
  const columns = widthOf(source);
  let factors: { readonly left: Float32Array; readonly right: Float32Array } | null = null;
  return (start, length, out) => {
    factors ??= transposed
      ? {
          left: transpose(whole(left, options), left.shape[0]!, left.shape[1]!),
          right: transpose(whole(right, options), right.shape[0]!, right.shape[1]!),
        }
      : { left: whole(left, options), right: whole(right, options) };
    if (under === null) out.fill(0, 0, length);
    else readInto(under, start, length, out);
    const first = start / columns;
    addProduct(out, factors.left, factors.right, scale, first, length / columns, columns);
    return out;
  };
}

/** `out += scale * left[first ..] . right` */
function addProduct(
  out: MergeArray,
  left: Float32Array,
  right: Float32Array,
  scale: number,
  first: number,
  rows: number,
  columns: number,
): void {
  const rank = right.length / columns;
  for (let i = 0; i < rows; i++) {
    const at = i * columns;
    for (let k = 0; k < rank; k++) {
      const factor = scale * left[(first + i) * rank + k]!;
      const from = k * columns;
      for (let j = 0; j < columns; j++) out[at + j] = out[at + j]! + factor * right[from + j]!;
    }
  }
}

function rearranged(source: RowsSource, options: ReadOptions): Read {
  const width = widthOf(source);
  const reads = source.sources.map(one => readerOf(one, { ...options, ahead: 0, to: Infinity }));
  const begins: number[] = [];
  let rows = 0;
  for (const run of source.runs) {
    begins.push(rows);
    rows += run.count;
  }
  const means = new Map<number, Float64Array>();
  const meanOfAll = (index: number, count: number, like: MergeArray): Float64Array => {
    let mean = means.get(index);
    if (mean === undefined) {
      mean = new Float64Array(width);
      const row = newLike(like, width);
      for (let i = 0; i < count; i++) {
        readInto(reads[index]!, i * width, width, row);
        for (let j = 0; j < width; j++) mean[j]! += row[j]! / count;
      }
      means.set(index, mean);
    }
    return mean;
  };
  return (start, length, out) => {
    let row = start / width;
    const end = row + length / width;
    let at = lastBefore(begins, row);
    while (row < end) {
      const run = source.runs[at]!;
      const inside = row - begins[at]!;
      const count = Math.min(run.count - inside, end - row);
      const part = out.subarray(row * width - start, (row + count) * width - start);
      if ('zero' in run) part.fill(0);
      else if ('from' in run) readInto(reads[run.source]!, (run.from + inside) * width, count * width, part);
      else if ('mean' in run) {
        const one = newLike(out, width);
        part.fill(0);
        for (const [index, from] of run.mean) {
          readInto(reads[index]!, from * width, width, one);
          for (let j = 0; j < width; j++) part[j] = part[j]! + one[j]! / run.mean.length;
        }
      } else {
        const mean = meanOfAll(run.meanOf, run.rows, out);
        for (let i = 0; i < count; i++) part.set(mean, i * width);
      }
      row += count;
      at++;
    }
    return out;
  };
}

const newLike = (like: MergeArray, length: number): MergeArray =>
  like instanceof Float64Array ? new Float64Array(length) : new Float32Array(length);

function lastBefore(begins: readonly number[], row: number): number {
  let [low, high] = [0, begins.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (begins[middle]! <= row) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Rounds to a storage dtype and back. */
export function roundTo(dtype: StorageDtype, converter: Converter, numbers: MergeArray, length: number): void {
  const bytes = converter.narrow(numbers, length, dtype);
  if (dtype === 'F32' && numbers instanceof Float32Array) return;
  const aligned = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice();
  converter.widen(aligned, dtype, length, numbers);
}
