import { isHeddleError } from '@heddle/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { npyBytes } from '../fixtures/npy-bytes.js';
import { readNpy } from './npy.js';

describe('npy', () => {
  it.each(['<f8', '>f8', '<f4', '<i8', '>i4', '<i2', '|i1'])('of kind %s is read', kind => {
    expect(readNpy(npyBytes([2, 3], [1, -2, 3, 4, -5, 6], { kind, version: 2 }), 'a.npy')).toEqual({
      shape: [2, 3],
      data: Float64Array.of(1, -2, 3, 4, -5, 6),
    });
  });

  it('column by column gives the same array', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }), shape => {
        const size = shape.reduce((a, b) => a * b, 1);
        const rows = Array.from({ length: size }, (_, i) => i);
        // Where each value stands when the first axis runs fastest.
        const columns: number[] = [];
        for (const value of rows) {
          let [rest, at] = [value, 0];
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            at += (rest % shape[axis]!) * shape.slice(0, axis).reduce((a, b) => a * b, 1);
            rest = Math.floor(rest / shape[axis]!);
          }
          columns[at] = value;
        }
        expect(readNpy(npyBytes(shape, columns, { byColumn: true }), 'a.npy')).toEqual(
          readNpy(npyBytes(shape, rows), 'a.npy'),
        );
      }),
    );
  });

  it.each([
    ['text', new TextEncoder().encode('1,2,3,4,5,6,7,8,9'), 'another sort'],
    ['another size', npyBytes([2, 3], [1, 2, 3, 4, 5]), '40 bytes for 2 x 3'],
    ['strings', npyBytes([2], [1, 2], { kind: '<U8' }), "'<U8'"],
    ['a future format', npyBytes([2], [1, 2], { version: 9 }), 'format 9'],
  ])('%s is refused', (_, bytes, words) => {
    expect(() => readNpy(bytes, 'a.npy')).toThrow(
      expect.objectContaining({ code: 'E_MATRIX', message: expect.stringMatching(`^a.npy: .*${words}`) }),
    );
  });

  it('damaged anywhere is refused by its code, or read', () => {
    const whole = npyBytes([2, 2], [1, 0, 0, 1]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 5 }),
        fc.nat(whole.length),
        (changes, length) => {
          const bytes = whole.slice();
          for (const [at, value] of changes) bytes[at] = value;
          try {
            const { shape, data } = readNpy(bytes.subarray(0, length), 'a.npy');
            expect(data.length).toBe(shape.reduce((a, b) => a * b, 1));
          } catch (error) {
            expect(isHeddleError(error) && error.code).toBe('E_MATRIX');
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
