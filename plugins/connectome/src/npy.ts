/**
 * Reading NumPy's `.npy` ("A Simple File Format for NumPy Arrays", NEP 1): magic, version, a header written as a Python
 * dictionary, values. Sizes are looked at before they are believed.
 */

import { fail } from '@heddle/core';

export interface NumpyArray {
  readonly shape: readonly number[];
  /** Row by row, whatever the order in the file. */
  readonly data: Float64Array;
}

type Read = (view: DataView, at: number, little: boolean) => number;

/** Numbers of each kind, and their bytes. */
const kinds: Readonly<Record<string, readonly [bytes: number, read: Read]>> = {
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  i1: [1, (view, at) => view.getInt8(at)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  u1: [1, (view, at) => view.getUint8(at)],
  b1: [1, (view, at) => view.getUint8(at)],
};

/** @throws E_MATRIX for a file that is none, holds no numbers, or has other bytes than its header says */
export function readNpy(bytes: Uint8Array, name: string): NumpyArray {
  const refuse = (received: string): never =>
    fail(
      'E_MATRIX',
      `${name}: expected an array of NumPy (.npy), received ${received}. Save it again with numpy.save.`,
      {
        name,
      },
    );
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || bytes[0] !== 0x93 || new TextDecoder('latin1').decode(bytes.subarray(1, 6)) !== 'NUMPY')
    refuse('another sort of file');
  const major = bytes[6]!;
  if (major < 1 || major > 3) refuse(`format ${major}`);
  const [begin, length] = major === 1 ? [10, view.getUint16(8, true)] : [12, view.getUint32(8, true)];
  if (begin + length > bytes.length) refuse(`a header of ${length} bytes in a file of ${bytes.length}`);
  const header = new TextDecoder('latin1').decode(bytes.subarray(begin, begin + length));
  const [, order, kind] = /'descr':\s*'([<>|=])(\w+)'/.exec(header) ?? [];
  const known = kind !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (known === undefined)
    return refuse(
      `values of kind '${/'descr':\s*([^,}]*)/.exec(header)?.[1]?.slice(0, 40) ?? 'none'}', which are no plain numbers`,
    );
  const list = /'shape':\s*\(([\d,\s]*)\)/.exec(header)?.[1] ?? refuse('a header without a shape');
  const shape = list
    .split(',')
    .map(part => part.trim())
    .filter(part => part !== '')
    .map(Number);
  const [width, read] = known;
  const count = shape.reduce((product, size) => product * size, 1);
  const from = begin + length;
  if (count * width !== bytes.length - from)
    refuse(`${bytes.length - from} bytes for ${shape.join(' x ') || 'one'} values of ${width}`);

  const data = new Float64Array(count);
  const byColumn = /'fortran_order':\s*True/.test(header) && shape.length > 1;
  // Places in the file of one step along each axis.
  const steps = shape.map((_, axis) =>
    (byColumn ? shape.slice(0, axis) : shape.slice(axis + 1)).reduce((product, size) => product * size, 1),
  );
  for (let i = 0; i < count; i++) {
    let [rest, at] = [i, i];
    if (byColumn) {
      at = 0;
      for (let axis = shape.length - 1; axis >= 0; axis--) {
        at += (rest % shape[axis]!) * steps[axis]!;
        rest = Math.floor(rest / shape[axis]!);
      }
    }
    data[i] = read(view, from + at * width, order !== '>');
  }
  return { shape, data };
}
