/** Writing safetensors as a stream: the header first, then one tensor after another, in chunks of any size. */

import { fail } from '../errors.js';
import type { Shape } from '../ir/types.js';
import type { ByteSink } from './bytes.js';
import { byteSize, isStorageDtype, storageDtypes, type StorageDtype } from './dtype.js';
import { elementCount, isCountable, isSafeName, maxHeaderBytes, type HeaderEntry } from './header.js';

/** What will be written. */
export interface TensorSpec {
  readonly name: string;
  readonly dtype: StorageDtype;
  readonly shape: Shape;
}

/** A file before its data: for writers that fill it in any order, or from several threads. */
export interface SafetensorsLayout {
  /** Length field and JSON; the data follows. */
  readonly header: Uint8Array;
  /** In the order of their bytes, with the range of each in the file. */
  readonly entries: readonly HeaderEntry[];
  /** Bytes of the whole file. */
  readonly size: number;
}

/**
 * Where `safetensorsWriter` would put everything.
 *
 * @throws E_WRITE as `safetensorsWriter` does
 */
export function safetensorsLayout(
  specs: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>> = {},
  file = 'layout',
): SafetensorsLayout {
  const order = headerOrder(specs);
  const header = headerBytes(order, metadata, file);
  let at = header.length;
  const entries = order.map((spec): HeaderEntry => {
    const start = at;
    at += tensorBytes(spec);
    return { ...spec, byteRange: [start, at] };
  });
  return { header, entries, size: at };
}

/** Takes the bytes of tensors in a fixed order. A failure aborts it: nothing half-written is left. */
export interface TensorWriter {
  /** The order in which tensors must be written. */
  readonly order: readonly TensorSpec[];
  /**
   * The next bytes of a tensor: all of them, or a chunk. One of zero size may be left out.
   *
   * @throws E_WRITE when another tensor is due, or more bytes come than its shape holds
   */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** @throws E_WRITE when bytes are missing */
  finish(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * Writes the header at the first write and hands out a writer for the data.
 *
 * The same tensors and metadata give the same bytes, in whatever order they are listed, and the bytes of the official
 * writer: wider dtypes first, so that every tensor is aligned to its element; then by name. The data begins at a multiple of 8.
 *
 * @param metadata free strings, kept under `__metadata__`; left out when empty
 * @throws E_WRITE for names that are equal, no text or no name, dtypes or shapes that are none, metadata that is no string
 */
export function safetensorsWriter(
  sink: ByteSink,
  specs: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>> = {},
): TensorWriter {
  const { header, entries } = safetensorsLayout(specs, metadata, sink.name);
  const order = entries.map(({ name, dtype, shape }): TensorSpec => ({ name, dtype, shape }));
  const sizes = order.map(tensorBytes);
  let current = 0; // index in `order` of the tensor whose bytes come next
  let written = 0; // bytes of it
  let started = false;
  let state: 'open' | 'finished' | 'aborted' = 'open';

  async function abort(): Promise<void> {
    if (state === 'finished') return;
    state = 'aborted';
    await sink.abort();
  }

  async function guarded(act: () => Promise<void>): Promise<void> {
    if (state !== 'open')
      fail(
        'E_CLOSED',
        `${sink.name}: expected an open writer, received a call after it was ${state}. Open another one.`,
        { name: sink.name, state },
      );
    try {
      await act();
    } catch (error) {
      await abort().catch(() => {}); // the first failure says more
      throw error;
    }
  }

  async function begin(): Promise<void> {
    if (started) return;
    started = true;
    await sink.write(header);
  }

  /** Steps over what is complete, tensors of zero size included. */
  function advance(wanted: string | null): void {
    while (current < order.length && written === sizes[current] && order[current]?.name !== wanted) {
      current++;
      written = 0;
    }
  }

  return {
    order,
    abort,
    write: (name, bytes) =>
      guarded(async () => {
        advance(name);
        const due = order[current];
        if (due?.name !== name)
          refuse(
            sink.name,
            'order',
            due === undefined ? 'no more tensors' : `bytes of '${due.name}' (${written} of ${sizes[current]} written)`,
            `bytes of '${name}'`,
          );
        if (written + bytes.length > sizes[current]!)
          refuse(sink.name, 'size', `${sizes[current]} bytes for '${name}'`, `${written + bytes.length}`);
        written += bytes.length; // before waiting, so that a second call is judged rightly
        await begin();
        if (bytes.length > 0) await sink.write(bytes);
      }),
    finish: () =>
      guarded(async () => {
        advance(null);
        const due = order[current];
        if (due !== undefined)
          refuse(sink.name, 'missing', `all ${sizes[current]} bytes of '${due.name}' before finish`, `${written}`);
        await begin();
        await sink.finish();
        state = 'finished';
      }),
  };
}

/** A tensor with its bytes. */
export interface TensorBytes extends TensorSpec {
  readonly bytes: Uint8Array;
}

/** Writes tensors that are all at hand, in any order. */
export async function writeSafetensors(
  sink: ByteSink,
  tensors: readonly TensorBytes[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const writer = safetensorsWriter(sink, tensors, metadata);
  await writeAll(writer, tensors);
}

/** Writes the tensors in the writer's order and finishes it. */
export async function writeAll(writer: TensorWriter, tensors: readonly TensorBytes[]): Promise<void> {
  const byName = new Map(tensors.map(({ name, bytes }) => [name, bytes]));
  for (const { name } of writer.order) await writer.write(name, byName.get(name)!);
  await writer.finish();
}

export const tensorBytes = ({ dtype, shape }: TensorSpec): number => elementCount(shape) * byteSize[dtype];

/** The official order: widest first, and names by code point within a dtype. */
const headerOrder = (specs: readonly TensorSpec[]): readonly TensorSpec[] =>
  specs
    .map(({ name, dtype, shape }) => ({ name, dtype, shape }))
    .sort((a, b) => rank.indexOf(a.dtype) - rank.indexOf(b.dtype) || compareCodePoints(a.name, b.name));

const rank: readonly StorageDtype[] = ['I64', 'F64', 'F32', 'I32', 'BF16', 'F16', 'I16', 'I8', 'U8', 'BOOL'];

/** Like comparing the UTF-8 bytes; `<` compares UTF-16 units, which differ beyond U+FFFF. */
function compareCodePoints(a: string, b: string): number {
  const left = [...a];
  const right = [...b];
  for (let i = 0; i < left.length && i < right.length; i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!;
    if (difference !== 0) return difference;
  }
  return left.length - right.length;
}

/** Length field and JSON, padded with spaces to a multiple of 8. */
function headerBytes(
  order: readonly TensorSpec[],
  metadata: Readonly<Record<string, string>>,
  file: string,
): Uint8Array {
  const json = new TextEncoder().encode(`{${[...metadataText(metadata, file), ...entryTexts(order, file)].join(',')}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > maxHeaderBytes) refuse(file, 'header-size', `a header of at most ${maxHeaderBytes} bytes`, `${length}`);
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, 8);
  return bytes;
}

function metadataText(metadata: Readonly<Record<string, string>>, file: string): readonly string[] {
  const keys = Object.keys(metadata).sort(compareCodePoints);
  for (const key of keys) {
    const value: unknown = metadata[key];
    if (typeof value !== 'string') refuse(file, 'metadata', `a string under '${key}' in the metadata`, typeof value);
    if (!isSafeName(key) || !isText(key) || !isText(metadata[key]!))
      refuse(file, 'metadata', 'metadata of whole characters under ordinary keys', `key ${JSON.stringify(key)}`);
  }
  return keys.length === 0
    ? []
    : [`"__metadata__":{${keys.map(key => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`).join(',')}}`];
}

function entryTexts(order: readonly TensorSpec[], file: string): readonly string[] {
  const seen = new Set<string>();
  let at = 0;
  return order.map(spec => {
    checkSpec(spec, seen, file);
    const start = at;
    at += tensorBytes(spec);
    if (!Number.isSafeInteger(at))
      refuse(file, 'shape', 'fewer than 2^53 bytes in all', `'${spec.name}' of [${spec.shape.join(', ')}]`);
    return `${JSON.stringify(spec.name)}:{"dtype":"${spec.dtype}","shape":[${spec.shape.join(',')}],"data_offsets":[${start},${at}]}`;
  });
}

function checkSpec({ name, dtype, shape }: TensorSpec, seen: Set<string>, file: string): void {
  if (!isSafeName(name) || name === '__metadata__' || !isText(name))
    refuse(
      file,
      'name',
      'tensor names of whole characters, unlike the properties of every object',
      JSON.stringify(name),
    );
  if (seen.has(name)) refuse(file, 'duplicate', 'each tensor name once', `'${name}' twice`);
  seen.add(name);
  if (!isStorageDtype(dtype))
    refuse(file, 'dtype', `'${name}' with a dtype of ${storageDtypes.join(', ')}`, String(dtype));
  if (!shape.every(length => Number.isSafeInteger(length) && length >= 0) || !isCountable(shape))
    refuse(
      file,
      'shape',
      `'${name}' with a shape of whole numbers and fewer than 2^53 elements`,
      `[${shape.join(', ')}]`,
    );
}

const isText = (text: string): boolean => !/[\ud800-\udfff]/u.test(text); // half a pair cannot be written as UTF-8

const refuse = (file: string, reason: string, expected: string, received: string): never =>
  fail(
    'E_WRITE',
    `${file}: expected ${expected}, received ${received}. Write what was declared, in the writer's order.`,
    { file, reason },
  );
