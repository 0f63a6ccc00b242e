import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  byteSize,
  bytesOf,
  hostDtype,
  isStorageDtype,
  narrow,
  storageDtypes,
  viewAs,
  wideNumbers,
  widen,
  type Narrowable,
  type StorageDtype,
} from './dtype.js';

const stored = (dtype: StorageDtype, bytes: Uint8Array) => ({
  name: 'w',
  dtype,
  shape: [bytes.length / byteSize[dtype]],
  bytes,
});
const roundTrip = (data: Narrowable, dtype: StorageDtype) => widen(stored(dtype, narrow(data, dtype, 'w')));

const integers = (low: number, high: number) =>
  fc.array(fc.integer({ min: low, max: high })).map(list => Int32Array.from(list));
const f32s = fc.float32Array();

describe('what is stored comes back', () => {
  const exact: Record<StorageDtype, fc.Arbitrary<Narrowable>> = {
    F64: f32s,
    F32: f32s,
    F16: fc.uint16Array().map(patterns => widen(stored('F16', bytesOf(patterns))).data),
    BF16: fc.uint16Array().map(patterns => widen(stored('BF16', bytesOf(patterns))).data),
    I64: integers(-(2 ** 31), 2 ** 31 - 1),
    I32: integers(-(2 ** 31), 2 ** 31 - 1),
    I16: integers(-(2 ** 15), 2 ** 15 - 1),
    I8: integers(-128, 127),
    U8: integers(0, 255),
    BOOL: fc.array(fc.integer({ min: 0, max: 1 })).map(list => Uint8Array.from(list)),
  };

  it.each(storageDtypes)('%s', dtype => {
    fc.assert(
      fc.property(exact[dtype], data => {
        const back = roundTrip(data, dtype);
        expect(back.dtype).toBe(hostDtype[dtype]);
        expect(back.data).toEqual(data);
      }),
    );
  });

  it.each(storageDtypes)('%s: any bytes that are read are written again the same', dtype => {
    const cells = dtype === 'BOOL' ? fc.integer({ min: 0, max: 1 }) : fc.integer({ min: 0, max: 255 });
    const size = byteSize[dtype];
    fc.assert(
      fc.property(fc.array(fc.array(cells, { minLength: size, maxLength: size })), rows => {
        const tensor = stored(dtype, Uint8Array.from(rows.flat()));
        if (dtype === 'F64') {
          expect(narrow(wideNumbers(tensor), dtype, 'w')).toEqual(tensor.bytes); // f32 cannot hold them
        } else if (dtype === 'I64') {
          for (let i = 0; i < tensor.bytes.length; i += 8)
            tensor.bytes.fill(tensor.bytes[i + 3]! > 127 ? 255 : 0, i + 4, i + 8); // sign extension of 32 bits
          expect(narrow(widen(tensor).data, dtype, 'w')).toEqual(tensor.bytes);
        } else {
          expect(narrow(widen(tensor).data, dtype, 'w')).toEqual(tensor.bytes);
        }
      }),
    );
  });

  it('doubles through F64 and safe integers through I64', () => {
    fc.assert(
      fc.property(fc.float64Array(), data => {
        expect(wideNumbers(stored('F64', narrow(data, 'F64', 'w')))).toEqual(data);
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.maxSafeInteger()), list => {
        const bytes = narrow(Float64Array.from(list), 'I64', 'w');
        expect([...wideNumbers(stored('I64', bytes))].map(n => n + 0)).toEqual(list.map(n => n + 0));
        expect([...viewAs(BigInt64Array, bytes)]).toEqual(list.map(BigInt));
      }),
    );
  });
});

describe('ranges', () => {
  it('an I64 beyond 32 bits is refused by name, at its element', () => {
    const tensor = stored('I64', bytesOf(BigInt64Array.of(5n, -5n, 2n ** 31n)));
    expect(() => widen(tensor)).toThrow(
      expect.objectContaining({
        code: 'E_DTYPE_RANGE',
        message: expect.stringContaining(
          "tensor 'w': expected a whole number from -2147483648 to 2147483647, received 2147483648 at element 2",
        ) as string,
      }),
    );
    expect([...wideNumbers(tensor)]).toEqual([5, -5, 2 ** 31]);
  });

  it.each([-(2n ** 31n) - 1n, 2n ** 32n, -(2n ** 63n), 0xffff_ffffn])('I64 %s does not fit', value => {
    expect(() => widen(stored('I64', bytesOf(BigInt64Array.of(value))))).toThrow(
      expect.objectContaining({ code: 'E_DTYPE_RANGE' }),
    );
  });

  it('an I64 beyond 2^53 has no double', () => {
    expect(() => wideNumbers(stored('I64', bytesOf(BigInt64Array.of(2n ** 53n))))).toThrow(
      expect.objectContaining({ code: 'E_DTYPE_RANGE' }),
    );
    expect(() => narrow(Float64Array.of(1.5), 'I64', 'w')).toThrow(expect.objectContaining({ code: 'E_DTYPE_RANGE' }));
  });

  it.each([
    ['I16', 32768],
    ['I16', -32769],
    ['I8', 128],
    ['I8', -129],
    ['U8', 256],
    ['U8', -1],
  ] as const)('%s cannot store %i', (dtype, value) => {
    expect(() => narrow(Int32Array.of(0, value), dtype, 'w')).toThrow(
      expect.objectContaining({ code: 'E_DTYPE_RANGE', details: { name: 'w', element: 1, value: String(value) } }),
    );
  });

  it('a BOOL is 0 or 1, both ways', () => {
    expect(() => widen(stored('BOOL', Uint8Array.of(1, 2)))).toThrow(
      expect.objectContaining({ code: 'E_DTYPE_RANGE' }),
    );
    expect(() => narrow(Uint8Array.of(1, 2), 'BOOL', 'w')).toThrow(expect.objectContaining({ code: 'E_DTYPE_RANGE' }));
  });

  it('kinds are not mixed', () => {
    const wrong: readonly (readonly [Narrowable, StorageDtype])[] = [
      [Float32Array.of(1), 'I32'],
      [Int32Array.of(1), 'F32'],
      [Int32Array.of(1), 'BOOL'],
      [Uint8Array.of(1), 'U8'],
      [Float64Array.of(1), 'F32'],
    ];
    for (const [data, dtype] of wrong)
      expect(() => narrow(data, dtype, 'w')).toThrow(expect.objectContaining({ code: 'E_DTYPE' }));
  });
});

describe('memory', () => {
  it('aligned F32 is not copied, either way', () => {
    const data = Float32Array.of(1, 2);
    const bytes = narrow(data, 'F32', 'w');
    expect(bytes.buffer).toBe(data.buffer);
    expect(widen(stored('F32', bytes)).data.buffer).toBe(data.buffer);
  });

  it('misaligned bytes are read right', () => {
    const shifted = new Uint8Array(9);
    shifted.set(bytesOf(Float32Array.of(1.5, -2)), 1);
    expect(widen(stored('F32', shifted.subarray(1))).data).toEqual(Float32Array.of(1.5, -2));
  });
});

it('knows the names of dtypes and no others', () => {
  expect(storageDtypes.every(isStorageDtype)).toBe(true);
  expect(['f32', 'F8_E4M3', 'toString', 5, null].some(isStorageDtype)).toBe(false);
});
