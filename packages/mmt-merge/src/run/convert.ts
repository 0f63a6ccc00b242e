/** Numbers of files to numbers that are computed with, and back; into memory that is used again and again. */

import type { MergeArray } from '@heddle/core';
import { loopsFor, simd } from '../simd/simd.js';
import { byteSize, narrowBf16, narrowF16, widenBf16, widenF16, type StorageDtype } from '@heddle/core/files';

/** Memory that grows to what is asked and stays. */
function buffer(): (bytes: number) => Uint8Array {
  let memory = new Uint8Array(0);
  return bytes => {
    if (memory.length < bytes) memory = new Uint8Array(Math.ceil(bytes / 4096) * 4096);
    return memory;
  };
}

export interface Converter {
  /** Widens `length` numbers that stand at the beginning of `bytes`, which must be aligned to 8. */
  widen(bytes: Uint8Array, dtype: StorageDtype, length: number, out: MergeArray): void;
  /** The bytes of a file; they last until the next call. Half precision of doubles is rounded twice. */
  narrow(numbers: MergeArray, length: number, dtype: StorageDtype): Uint8Array;
}

export function converter(): Converter {
  const floats = buffer();
  const halves = buffer();
  let staging: Float32Array | null = null;
  /** Memory of the vector loops for halves; null where they cannot be used. */
  const staged = (length: number): Float32Array | null => {
    if (staging !== null && staging.length * 2 >= length) return staging;
    return (staging = simd()?.allocate(Math.ceil(length / 8) * 4) ?? null);
  };
  const asFloats = (length: number): Float32Array => new Float32Array(floats(length * 4).buffer, 0, length);

  function widen(bytes: Uint8Array, dtype: StorageDtype, length: number, out: MergeArray): void {
    const { buffer: memory, byteOffset } = bytes;
    switch (dtype) {
      case 'F32':
        out.set(new Float32Array(memory, byteOffset, length));
        return;
      case 'F64':
        out.set(new Float64Array(memory, byteOffset, length));
        return;
      case 'BF16':
      case 'F16': {
        const direct = out instanceof Float32Array;
        const loops = dtype === 'BF16' && length % 4 === 0 ? loopsFor(out) : null;
        if (loops && memory === out.buffer) {
          loops.widenBf16(out.byteOffset, byteOffset, length);
          return;
        }
        const stage = loops && staged(length);
        if (loops && stage) {
          new Uint8Array(stage.buffer, stage.byteOffset, length * 2).set(bytes.subarray(0, length * 2));
          loops.widenBf16(out.byteOffset, stage.byteOffset, length);
          return;
        }
        const target = direct ? out : asFloats(length);
        const patterns = new Uint32Array(target.buffer, target.byteOffset, length);
        (dtype === 'BF16' ? widenBf16 : widenF16)(new Uint16Array(memory, byteOffset, length), patterns);
        if (!direct) out.set(target);
        return;
      }
      default:
        throw new Error(`no floats: ${dtype}`); // plans copy such tensors
    }
  }

  return {
    widen,
    narrow(numbers, length, dtype) {
      if (dtype === 'F64') {
        const wide = numbers instanceof Float64Array ? numbers : Float64Array.from(numbers.subarray(0, length));
        return new Uint8Array(wide.buffer, wide.byteOffset, length * 8);
      }
      let single: Float32Array;
      if (numbers instanceof Float32Array) single = numbers;
      else {
        single = asFloats(length);
        single.set(numbers.subarray(0, length));
      }
      if (dtype === 'F32') return new Uint8Array(single.buffer, single.byteOffset, length * 4);
      const loops = dtype === 'BF16' && length % 4 === 0 ? loopsFor(single) : null;
      const stage = loops && staged(length);
      if (loops && stage) {
        loops.narrowBf16(stage.byteOffset, single.byteOffset, length);
        return new Uint8Array(stage.buffer, stage.byteOffset, length * 2);
      }
      const out = halves(length * byteSize[dtype]);
      const patterns = new Uint32Array(single.buffer, single.byteOffset, length);
      (dtype === 'BF16' ? narrowBf16 : narrowF16)(patterns, new Uint16Array(out.buffer, 0, length));
      return out.subarray(0, length * 2);
    },
  };
}

/** The largest magnitude that does not become infinite in a file. */
export const overflowAt: Readonly<Partial<Record<StorageDtype, number>>> = {
  F16: 65520,
  BF16: (2 - 2 ** -8) * 2 ** 127,
  F32: (2 - 2 ** -24) * 2 ** 127,
};
