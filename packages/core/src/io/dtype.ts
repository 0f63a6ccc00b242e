/**
 * What numbers look like in files, and the way from there to host tensors and back.
 *
 * The graph computes in f32, i32 and bool; F16, BF16, F64, I64 and the small integers exist in storage only. Bytes are
 * little-endian, whatever the host.
 */

import { fail } from '../errors.js';
import type { Dtype, HostData, HostTensor, Shape } from '../ir/types.js';
import { narrowBf16, narrowF16, widenBf16, widenF16 } from './half.js';

export const storageDtypes = ['F64', 'F32', 'F16', 'BF16', 'I64', 'I32', 'I16', 'I8', 'U8', 'BOOL'] as const;

export type StorageDtype = (typeof storageDtypes)[number];

/** Bytes of one element. */
export const byteSize: Readonly<Record<StorageDtype, 1 | 2 | 4 | 8>> = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** What a storage dtype is in the graph. */
export const hostDtype: Readonly<Record<StorageDtype, Dtype>> = {
  F64: 'f32',
  F32: 'f32',
  F16: 'f32',
  BF16: 'f32',
  I64: 'i32',
  I32: 'i32',
  I16: 'i32',
  I8: 'i32',
  U8: 'i32',
  BOOL: 'bool',
};

export const isStorageDtype = (name: unknown): name is StorageDtype =>
  (storageDtypes as readonly unknown[]).includes(name);

/** A tensor as it stands in a file. Zero-size axes are legal here, unlike in the graph. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: StorageDtype;
  readonly shape: Shape;
  /** Row-major, little-endian, exactly the elements. May share memory with what it was read from: do not write to it. */
  readonly bytes: Uint8Array;
}

/**
 * Widens to what the graph takes: floats to f32, integers to i32, BOOL to bool.
 *
 * F32, I32 and BOOL that lie aligned in memory are not copied: the result then shares memory with `bytes`.
 * F64 is rounded to f32; use `wideNumbers` to keep it.
 *
 * @throws E_DTYPE_RANGE when an I64 does not fit 32 bits or a BOOL is neither 0 nor 1; names the tensor and the element
 */
export function widen(stored: StoredTensor): HostTensor {
  return { dtype: hostDtype[stored.dtype], shape: stored.shape, data: widenData(stored) };
}

function widenData(stored: StoredTensor): HostData {
  const { bytes } = stored;
  switch (stored.dtype) {
    case 'F32':
      return viewAs(Float32Array, bytes);
    case 'F64':
      return Float32Array.from(viewAs(Float64Array, bytes));
    case 'F16':
      return widenPatterns(bytes, widenF16);
    case 'BF16':
      return widenPatterns(bytes, widenBf16);
    case 'I64':
      return narrowI64(stored);
    case 'I32':
      return viewAs(Int32Array, bytes);
    case 'I16':
      return Int32Array.from(viewAs(Int16Array, bytes));
    case 'I8':
      return Int32Array.from(viewAs(Int8Array, bytes));
    case 'U8':
      return Int32Array.from(bytes);
    case 'BOOL':
      return checkedBool(stored);
  }
}

function widenPatterns(bytes: Uint8Array, convert: (from: Uint16Array, to: Uint32Array) => void): Float32Array {
  const from = viewAs(Uint16Array, bytes);
  const to = new Float32Array(from.length);
  convert(from, new Uint32Array(to.buffer));
  return to;
}

function narrowI64(stored: StoredTensor): Int32Array {
  const words = viewAs(Int32Array, stored.bytes); // lower and upper half by turns: BigInt would be 30 times slower
  const to = new Int32Array(words.length / 2);
  for (let i = 0; i < to.length; i++) {
    const lower = words[2 * i]!;
    if (words[2 * i + 1]! !== lower >> 31)
      outOfRange(
        stored.name,
        i,
        viewAs(BigInt64Array, stored.bytes)[i]!,
        'a whole number from -2147483648 to 2147483647',
      );
    to[i] = lower;
  }
  return to;
}

function checkedBool(stored: StoredTensor): Uint8Array {
  const { bytes, name } = stored;
  for (let i = 0; i < bytes.length; i++) if (bytes[i]! > 1) outOfRange(name, i, bytes[i]!, '0 or 1, as BOOL demands');
  return bytes;
}

/**
 * Every element as a double: F64 unharmed, I64 as long as it is exact.
 *
 * An aligned F64 is not copied.
 *
 * @throws E_DTYPE_RANGE when an I64 lies beyond 2^53, where doubles skip whole numbers
 */
export function wideNumbers(stored: StoredTensor): Float64Array {
  if (stored.dtype === 'F64') return viewAs(Float64Array, stored.bytes);
  if (stored.dtype !== 'I64') return Float64Array.from(widenData(stored));
  const words = viewAs(Int32Array, stored.bytes);
  const to = new Float64Array(words.length / 2);
  for (let i = 0; i < to.length; i++) {
    const value = words[2 * i + 1]! * 0x1_0000_0000 + (words[2 * i]! >>> 0);
    if (!Number.isSafeInteger(value))
      outOfRange(stored.name, i, viewAs(BigInt64Array, stored.bytes)[i]!, 'a whole number within 2^53');
    to[i] = value;
  }
  return to;
}

/** What can be narrowed to a storage dtype: host data of the same kind, or doubles for F64 and I64. */
export type Narrowable = HostData | Float64Array;

/**
 * Narrows host numbers to the bytes of a file: floats to the nearest, ties to even.
 *
 * Nothing is copied when the numbers already are what the file holds: the result then shares memory with `data`.
 *
 * @param name of the tensor, for messages
 * @throws E_DTYPE when the kinds differ (floats to integers, say): cast in the graph first, where it is visible
 * @throws E_DTYPE_RANGE when a whole number does not fit, or a bool is neither 0 nor 1
 */
export function narrow(data: Narrowable, to: StorageDtype, name: string): Uint8Array {
  if (data instanceof Float64Array) return narrowDoubles(data, to, name);
  if (data instanceof Float32Array) return narrowFloats(data, to, name);
  if (data instanceof Int32Array) return narrowIntegers(data, to, name);
  if (to !== 'BOOL') wrongKind('bool', to, name);
  return checkedBool({ name, dtype: to, shape: [data.length], bytes: data });
}

function narrowDoubles(data: Float64Array, to: StorageDtype, name: string): Uint8Array {
  if (to === 'F64') return bytesOf(data);
  if (to !== 'I64') return wrongKind('f64', to, name);
  const words = new Int32Array(data.length * 2);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]!;
    if (!Number.isSafeInteger(value)) outOfRange(name, i, value, 'a whole number within 2^53');
    words[2 * i] = value % 0x1_0000_0000; // stores wrap modulo 2^32, for negatives too
    words[2 * i + 1] = Math.floor(value / 0x1_0000_0000);
  }
  return bytesOf(words);
}

function narrowFloats(data: Float32Array, to: StorageDtype, name: string): Uint8Array {
  switch (to) {
    case 'F32':
      return bytesOf(data);
    case 'F64':
      return bytesOf(Float64Array.from(data));
    case 'F16':
      return narrowPatterns(data, narrowF16);
    case 'BF16':
      return narrowPatterns(data, narrowBf16);
    default:
      return wrongKind('f32', to, name);
  }
}

function narrowPatterns(data: Float32Array, convert: (from: Uint32Array, to: Uint16Array) => void): Uint8Array {
  const to = new Uint16Array(data.length);
  convert(new Uint32Array(data.buffer, data.byteOffset, data.length), to);
  return bytesOf(to);
}

function narrowIntegers(data: Int32Array, to: StorageDtype, name: string): Uint8Array {
  switch (to) {
    case 'I32':
      return bytesOf(data);
    case 'I64': {
      const words = new Int32Array(data.length * 2);
      for (let i = 0; i < data.length; i++) {
        words[2 * i] = data[i]!;
        words[2 * i + 1] = data[i]! >> 31;
      }
      return bytesOf(words);
    }
    case 'I16':
      return bytesOf(Int16Array.from(inRange(data, -32768, 32767, name)));
    case 'I8':
      return bytesOf(Int8Array.from(inRange(data, -128, 127, name)));
    case 'U8':
      return Uint8Array.from(inRange(data, 0, 255, name));
    default:
      return wrongKind('i32', to, name);
  }
}

function inRange(data: Int32Array, low: number, high: number, name: string): Int32Array {
  for (let i = 0; i < data.length; i++) {
    if (data[i]! < low || data[i]! > high) outOfRange(name, i, data[i]!, `a whole number from ${low} to ${high}`);
  }
  return data;
}

function outOfRange(name: string, element: number, value: number | bigint, expected: string): never {
  fail(
    'E_DTYPE_RANGE',
    `tensor '${name}': expected ${expected}, received ${value} at element ${element}. Store it with a wider dtype, or correct the value.`,
    {
      name,
      element,
      value: String(value),
    },
  );
}

function wrongKind(from: Dtype | 'f64', to: StorageDtype, name: string): never {
  fail(
    'E_DTYPE',
    `tensor '${name}': expected numbers of the kind that ${to} stores (${hostDtype[to]}), received ${from}. Cast it first, or choose another storage dtype.`,
    {
      name,
      from,
      to,
    },
  );
}

/** The bytes under a typed array, not copied. */
export const bytesOf = (view: ArrayBufferView): Uint8Array => {
  requireLittleEndian();
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
};

interface ViewType<T> {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
}

/** Typed access to little-endian bytes: a view where they lie aligned, a copy where they do not. */
export function viewAs<T>(type: ViewType<T>, bytes: Uint8Array): T {
  requireLittleEndian();
  const size = type.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new type(aligned.buffer, aligned.byteOffset, Math.floor(bytes.length / size));
}

const littleEndian = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

function requireLittleEndian(): void {
  if (!littleEndian)
    fail(
      'E_PLATFORM',
      'file formats: expected a little-endian processor, received a big-endian one. Heddle reads files on little-endian machines only.',
    );
}
