/** Host memory that native code writes to: aligned, and used again instead of handed to the garbage collector. */

import type { Dtype, HostData } from '@heddle/core';
import type { OrtLibrary, Pointer } from './c-api.js';
import { elementType } from './c-api.js';

const arrays = { f32: Float32Array, i32: Int32Array, bool: Uint8Array } as const;
const cellBytes = { f32: 4, i32: 4, bool: 1 } as const;

/** A vector register's worth and a cache line: loads of the kernels never straddle. */
const alignment = 64;

/** A block with its tensors by type and shape: making an OrtValue costs more than looking one up. */
export interface Block {
  readonly bytes: Uint8Array;
  readonly values: Map<string, Pointer>;
}

export interface TensorMemory {
  /** The native tensor over this block. */
  value(block: Block, dtype: Dtype, shape: readonly number[]): Pointer;
  view(block: Block, dtype: Dtype, length: number): HostData;
  take(dtype: Dtype, length: number): Block;
  give(block: Block): void;
  /** Copies in. */
  fill(block: Block, data: HostData): void;
  drop(block: Block): void;
  close(): void;
}

export function tensorMemory(library: OrtLibrary): TensorMemory {
  const free = new Map<number, Block[]>();
  const drop = (block: Block): void => {
    for (const pointer of block.values.values()) library.api.ReleaseValue(pointer);
    block.values.clear();
  };
  return {
    value(block, dtype, shape) {
      const key = `${dtype} ${shape.join()}`;
      const known = block.values.get(key);
      if (known !== undefined) return known;
      const dims = BigInt64Array.from(shape, BigInt);
      const pointer = library.make(
        'CreateTensorWithDataAsOrtValue',
        library.memory,
        library.address(block.bytes),
        block.bytes.byteLength,
        dims,
        dims.length,
        elementType[dtype],
      );
      block.values.set(key, pointer);
      return pointer;
    },
    view: (block, dtype, length) =>
      new arrays[dtype](block.bytes.buffer as ArrayBuffer, block.bytes.byteOffset, length),
    take(dtype, length) {
      const size = length * cellBytes[dtype];
      return free.get(size)?.pop() ?? { bytes: aligned(library, size), values: new Map() };
    },
    give(block) {
      const size = block.bytes.byteLength;
      const shelf = free.get(size);
      if (shelf) shelf.push(block);
      else free.set(size, [block]);
    },
    fill: (block, data) => block.bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)),
    drop,
    close() {
      for (const shelf of free.values()) shelf.forEach(drop);
      free.clear();
    },
  };
}

function aligned(library: OrtLibrary, size: number): Uint8Array {
  const buffer = new ArrayBuffer(size + alignment);
  const skew = Number(library.address(new Uint8Array(buffer)) % BigInt(alignment));
  return new Uint8Array(buffer, (alignment - skew) % alignment, size);
}
