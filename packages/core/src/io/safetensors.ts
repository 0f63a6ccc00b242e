/** Safetensors files: opening reads the header only, tensors come by range. */

import { fail } from '../errors.js';
import type { HostTensor, Shape } from '../ir/types.js';
import { shortRead, type ByteSource } from './bytes.js';
import { byteSize, widen, type StoredTensor } from './dtype.js';
import { elementCount, headerLength, readHeader, type HeaderEntry } from './header.js';

export interface TensorEntry extends HeaderEntry {
  /** Name of the source that holds its bytes. */
  readonly file: string;
}

export interface ReadOptions {
  /** Only these rows of the first axis: `from` included, `to` not. The shape that comes has `to - from` there. */
  readonly rows?: readonly [from: number, to: number];
}

/** Named tensors on disk, whatever the number of files. */
export interface TensorFile {
  readonly name: string;
  /** In the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  readonly metadata: Readonly<Record<string, string>>;
  has(name: string): boolean;
  /** @throws E_TENSOR when there is none of that name */
  entry(name: string): TensorEntry;
  /**
   * The bytes of one tensor, or of some of its rows; nothing else is read.
   *
   * @throws E_TENSOR for an unknown name, or rows that are not in it
   */
  read(name: string, options?: ReadOptions): Promise<StoredTensor>;
  /** `read`, widened for the graph. */
  load(name: string, options?: ReadOptions): Promise<HostTensor>;
  close(): Promise<void>;
}

/**
 * Opens a safetensors file: reads the header, checks all of it, and nothing else.
 *
 * Owns the source from here on: closes it with the file, and at once when the file is refused.
 *
 * @throws E_SAFETENSORS with `details.reason`, a `SafetensorsReason`; E_IO when the source fails
 */
export async function openSafetensors(source: ByteSource): Promise<TensorFile> {
  try {
    const length = headerLength(await readExactly(source, 0, Math.min(8, source.size)), source.size, source.name);
    const { entries, metadata } = readHeader(await readExactly(source, 8, 8 + length), source.size, source.name);
    const files = entries.map(entry => ({ entry: { ...entry, file: source.name }, source }));
    return tensorFile(source.name, files, metadata, () => source.close());
  } catch (error) {
    await source.close().catch(() => {}); // the refusal says more
    throw error;
  }
}

/** Entries with the sources that hold them, behind one face. */
export function tensorFile(
  name: string,
  tensors: readonly { readonly entry: TensorEntry; readonly source: ByteSource }[],
  metadata: Readonly<Record<string, string>>,
  close: () => Promise<void>,
): TensorFile {
  const byName = new Map(tensors.map(tensor => [tensor.entry.name, tensor]));
  const find = (tensor: string) => byName.get(tensor) ?? unknownTensor(name, tensor, byName.size);
  let closed = false;
  async function read(tensor: string, options: ReadOptions = {}): Promise<StoredTensor> {
    if (closed)
      fail(
        'E_CLOSED',
        `${name}: expected an open file, received a read of '${tensor}' after close. Read before closing.`,
        { name, tensor },
      );
    const { entry, source } = find(tensor);
    const { dtype } = entry;
    const [shape, start, end] = rangeOf(entry, options.rows);
    return { name: tensor, dtype, shape, bytes: await readExactly(source, start, end) };
  }
  return {
    name,
    entries: tensors.map(({ entry }) => entry),
    metadata,
    has: tensor => byName.has(tensor),
    entry: tensor => find(tensor).entry,
    read,
    load: async (tensor, options) => widen(await read(tensor, options)),
    async close() {
      if (closed) return;
      closed = true;
      await close();
    },
  };
}

function rangeOf(
  { name, dtype, shape, byteRange }: TensorEntry,
  rows: ReadOptions['rows'],
): readonly [Shape, number, number] {
  const [start, end] = byteRange;
  if (rows === undefined) return [shape, start, end];
  const [from, to] = rows;
  const [length, ...rest] = shape;
  if (
    length === undefined ||
    !Number.isSafeInteger(from) ||
    !Number.isSafeInteger(to) ||
    from < 0 ||
    to < from ||
    to > length
  ) {
    const has = length === undefined ? 'a scalar without rows' : `one with ${length} rows`;
    return fail(
      'E_TENSOR',
      `tensor '${name}': expected a tensor with rows ${from} to ${to}, received ${has}. Ask for rows within its first axis.`,
      { name, rows, shape, reason: 'rows' },
    );
  }
  const row = elementCount(rest) * byteSize[dtype];
  return [[to - from, ...rest], start + from * row, start + to * row];
}

const unknownTensor = (file: string, name: string, count: number): never =>
  fail(
    'E_TENSOR',
    `${file}: expected one of its ${count} tensors, received '${name}'. List its entries to see the names.`,
    { file, name, reason: 'name' },
  );

/** Reads a range and counts what came: a source is no more to be believed than a header. */
async function readExactly(source: ByteSource, start: number, end: number): Promise<Uint8Array> {
  const bytes = await source.read(start, end);
  return bytes.length === end - start ? bytes : shortRead(source.name, end - start, bytes.length);
}
