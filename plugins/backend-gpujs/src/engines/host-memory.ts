/** Tensors in host memory, for modes that compute there. */

import { fail, sizeOf, type HostData, type HostTensor, type TensorType } from '@heddle/core';
import type { Engine, Held } from './engine.js';

export interface HeldCells extends Held {
  data: HostData | null;
}

const hold = ({ dtype, shape, data }: HostTensor): HeldCells => ({ type: { dtype, shape }, data: data.slice() });

export const contentOf = (held: Held, engine: string): HostTensor => {
  const { type, data } = held as HeldCells;
  if (data === null)
    fail(
      'E_CLOSED',
      `${engine}: expected an open tensor, received one after its close. Keep it open until its last use.`,
      {},
    );
  return { ...type, data: data! };
};

/** How an engine keeps tensors in host memory: the same for every mode that computes there. */
export const hostMemory = (engine: string): Pick<Engine, 'resident' | 'hold' | 'read' | 'release' | 'lost'> => ({
  resident: false,
  hold,
  read: async held => {
    const { dtype, shape, data } = contentOf(held, engine);
    return { dtype, shape, data: data.slice() };
  },
  release: held => {
    (held as HeldCells).data = null;
  },
  lost: () => null, // no device
});

/** Floats as a tensor of a type: whole numbers and bools are exact. */
export function tensorOf(type: TensorType, cells: Float32Array): HostTensor {
  const n = sizeOf(type.shape);
  const part = cells.subarray(0, n);
  const data =
    type.dtype === 'f32' ? part.slice() : type.dtype === 'i32' ? Int32Array.from(part) : Uint8Array.from(part);
  return { dtype: type.dtype, shape: type.shape, data };
}
