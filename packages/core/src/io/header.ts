/**
 * The header of a safetensors file: 8 bytes of length, then JSON that names every tensor.
 *
 * Read as an attacker wrote it: nothing is believed before it is checked, and what the official reader refuses is
 * refused here.
 */

import { fail, isHeddleError } from '../errors.js';
import type { Shape } from '../ir/types.js';
import { byteSize, isStorageDtype, storageDtypes, type StorageDtype } from './dtype.js';
import { decodeUtf8, isJsonObject, parseJson, type Json } from './json.js';

/** Bytes; the official reader stops here too. */
export const maxHeaderBytes = 100_000_000;

/** Why a safetensors file is refused: `details.reason` of E_SAFETENSORS. */
export type SafetensorsReason =
  | 'truncated' // shorter than its length field or its header
  | 'header-size' // a header above the cap
  | 'json' // not UTF-8, not JSON, not an object, or nested without end
  | 'duplicate' // a key twice
  | 'name' // a tensor named like a property of every object, or with half a character
  | 'metadata' // __metadata__ is not an object of strings
  | 'field' // a tensor's entry lacks a field or has one more
  | 'dtype'
  | 'shape' // not whole non-negative numbers, or more elements than can be counted
  | 'offsets' // not two rising whole numbers within the data
  | 'size' // offsets that do not span shape * dtype
  | 'overlap'
  | 'hole'
  | 'trailing'; // data that no tensor claims at the end, or a file cut inside its data

/** What a header says of one tensor. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: StorageDtype;
  readonly shape: Shape;
  /** Bytes from the start of the file; the end is not included. */
  readonly byteRange: readonly [start: number, end: number];
}

export interface Header {
  /** In the order of their bytes. */
  readonly entries: readonly HeaderEntry[];
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Length of the JSON, from the first 8 bytes.
 *
 * @throws E_SAFETENSORS truncated, header-size
 */
export function headerLength(prefix: Uint8Array, fileSize: number, file: string): number {
  if (prefix.length < 8) return refuse(file, 'truncated', 'at least 8 bytes', `${fileSize}`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, 8);
  const length = view.getUint32(4, true) * 0x1_0000_0000 + view.getUint32(0, true);
  if (length > maxHeaderBytes)
    return refuse(file, 'header-size', `a header of at most ${maxHeaderBytes} bytes`, `${length}`);
  if (length > fileSize - 8)
    return refuse(file, 'truncated', `a header within the file's ${fileSize} bytes`, `a header of ${length} bytes`);
  return length;
}

/**
 * Reads and checks the JSON of a header.
 *
 * The tensors must cover the data exactly: no overlap, no hole, nothing after the last. A tensor with a zero axis has an
 * empty range that may stand wherever one tensor ends and the next begins; a scalar has shape [] and one element.
 *
 * @param json the bytes of the header alone
 * @param fileSize bytes of the whole file
 * @throws E_SAFETENSORS with `details.reason`, a `SafetensorsReason`
 */
export function readHeader(json: Uint8Array, fileSize: number, file: string): Header {
  const header = jsonOf(json, file);
  if (!isJsonObject(header)) return refuse(file, 'json', 'a header that is a JSON object', describe(header));
  const dataStart = 8 + json.length;
  const entries: HeaderEntry[] = [];
  for (const [name, value] of Object.entries(header)) {
    if (name !== '__metadata__') entries.push(entryOf(name, value, dataStart, fileSize, file));
  }
  entries.sort((a, b) => a.byteRange[0] - b.byteRange[0] || a.byteRange[1] - b.byteRange[1]);
  checkCover(entries, dataStart, fileSize, file);
  return { entries, metadata: metadataOf(header['__metadata__'], file) };
}

function jsonOf(json: Uint8Array, file: string): Json {
  const thing = `header of ${file}`;
  try {
    return parseJson(decodeUtf8(json, thing), { thing, maxDepth: 8, number: plainNumber });
  } catch (error) {
    if (!isHeddleError(error)) throw error;
    const reason: SafetensorsReason =
      error.details['reason'] === 'duplicate' ? 'duplicate' : error.details['reason'] === 'surrogate' ? 'name' : 'json';
    return fail('E_SAFETENSORS', error.message, { ...error.details, file, reason }, error);
  }
}

/** Only digits are numbers in a header; `-1`, `1.0` and `1e3` stay text and are refused where they stand, as spelt. */
const plainNumber = (spelling: string): Json => (/^[0-9]+$/.test(spelling) ? Number(spelling) : spelling);

function entryOf(name: string, value: Json, dataStart: number, fileSize: number, file: string): HeaderEntry {
  const of = `tensor '${shorten(name)}'`;
  if (!isSafeName(name)) refuse(file, 'name', 'tensor names unlike the properties of every object', of);
  if (!isJsonObject(value)) return refuse(file, 'field', `${of} as an object`, describe(value), { name });
  const keys = Object.keys(value);
  if (keys.length !== 3 || !fields.every(key => key in value)) {
    refuse(
      file,
      'field',
      `${of} with exactly dtype, shape and data_offsets`,
      keys.length === 0 ? 'no field' : shorten(keys.join(', ')),
      { name },
    );
  }
  const { dtype } = value;
  if (!isStorageDtype(dtype))
    return refuse(file, 'dtype', `${of} with a dtype of ${storageDtypes.join(', ')}`, describe(dtype), { name });
  const shape = shapeOf(value['shape'], of, file, name);
  const [start, end] = offsetsOf(value['data_offsets'], fileSize - dataStart, of, file, name);
  const bytes = elementCount(shape) * byteSize[dtype]; // exact below 2^53, and above it unequal to any range in a file
  if (end - start !== bytes)
    refuse(
      file,
      'size',
      `${of} of ${dtype} [${shape.join(', ')}] to take ${bytes} bytes`,
      `offsets that span ${end - start}`,
      { name },
    );
  return { name, dtype, shape, byteRange: [dataStart + start, dataStart + end] };
}

const fields = ['dtype', 'shape', 'data_offsets'] as const;

function shapeOf(value: Json | undefined, of: string, file: string, name: string): Shape {
  if (!isWholeNumbers(value))
    return refuse(file, 'shape', `${of} with a shape of whole numbers from 0 to 2^53`, describe(value), { name });
  return isCountable(value)
    ? value
    : refuse(file, 'shape', `${of} of fewer than 2^53 elements`, describe(value), { name });
}

function offsetsOf(
  value: Json | undefined,
  dataSize: number,
  of: string,
  file: string,
  name: string,
): readonly [number, number] {
  if (isWholeNumbers(value) && value.length === 2) {
    const [start, end] = value as [number, number];
    if (start <= end && end <= dataSize) return [start, end];
  }
  return refuse(
    file,
    'offsets',
    `${of} with data_offsets [start, end] within ${dataSize} bytes of data`,
    describe(value),
    { name },
  );
}

/** Entries in the order of their bytes must follow each other without gap, from the first byte of data to the last. */
function checkCover(entries: readonly HeaderEntry[], dataStart: number, fileSize: number, file: string): void {
  let at = dataStart;
  for (const { name, byteRange } of entries) {
    const [start, end] = byteRange;
    if (start !== at) {
      refuse(
        file,
        start < at ? 'overlap' : 'hole',
        `tensor '${shorten(name)}' to begin at byte ${at - dataStart} of the data, where the one before ends`,
        `${start - dataStart}`,
        { name },
      );
    }
    at = end;
  }
  if (at !== fileSize)
    refuse(
      file,
      'trailing',
      `data that ends with the last tensor, at byte ${at} of the file`,
      `a file of ${fileSize} bytes`,
    );
}

function metadataOf(value: Json | undefined, file: string): Readonly<Record<string, string>> {
  if (value === undefined) return {};
  if (!isJsonObject(value)) return refuse(file, 'metadata', '__metadata__ as an object of strings', describe(value));
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== 'string')
      refuse(file, 'metadata', `a string under '${shorten(key)}' in __metadata__`, describe(text));
    if (!isSafeName(key)) refuse(file, 'metadata', 'metadata keys unlike the properties of every object', `'${key}'`);
  }
  return value as Readonly<Record<string, string>>; // every value was just seen to be a string
}

/** Names that would reach into `Object.prototype` when somebody keeps tensors in a plain object. */
export const isSafeName = (name: string): boolean => !(name in Object.prototype) && name !== 'prototype';

export const elementCount = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);

/** False when the product overflows on the way, even if a zero follows: the official reader multiplies in this order. */
export function isCountable(shape: Shape): boolean {
  let count = 1;
  return shape.every(length => Number.isSafeInteger((count *= length)));
}

const isWholeNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every(n => typeof n === 'number' && Number.isSafeInteger(n) && n >= 0);

const shorten = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text);

function describe(value: Json | undefined): string {
  if (value === undefined) return 'nothing';
  if (isJsonObject(value)) return 'an object';
  return Array.isArray(value)
    ? `[${shorten(value.slice(0, 8).map(describe).join(', '))}${value.length > 8 ? ', …' : ''}]`
    : shorten(String(value));
}

function refuse(
  file: string,
  reason: SafetensorsReason,
  expected: string,
  received: string,
  details: Readonly<Record<string, unknown>> = {},
): never {
  fail(
    'E_SAFETENSORS',
    `${file}: expected ${expected}, received ${received}. The file is damaged or was not written as safetensors; fetch or write it again.`,
    {
      file,
      reason,
      ...details,
    },
  );
}
