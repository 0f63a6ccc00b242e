import { narrowBf16, widenBf16 } from '@heddle/core/files';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { consensusInto } from '../parts/consensus.js';
import { sumInto } from '../parts/sums.js';
import { simd } from './simd.js';

const unit = simd()!;
const inside = (data: ArrayLike<number>): Float32Array => {
  const array = unit.allocate(data.length)!;
  array.set(data);
  return array;
};
/** Multiples of an eighth: products of tiny numbers vanish in float32 before they do in double precision. */
const eighths = (most: number) => fc.integer({ min: -8 * most, max: 8 * most }).map(n => n / 8);
const numbers = fc
  .integer({ min: 1, max: 6 })
  .chain(fours => fc.array(eighths(1000), { minLength: fours * 4, maxLength: fours * 4 }));
const at = (array: Float32Array): number => array.byteOffset;

describe('vector loops give what plain loops give', () => {
  it.each([1, 2, 3, 4, 5, 8])('sums and consensus of %d', n => {
    fc.assert(
      fc.property(
        fc.array(numbers, { minLength: n, maxLength: n }),
        fc.array(eighths(2), { minLength: n, maxLength: n }),
        (all, weights) => {
          const length = Math.min(...all.map(one => one.length));
          const arrays = all.map(inside);
          const [sum, weight] = [inside(new Array<number>(length).fill(7)), inside(new Array<number>(length).fill(7))];
          const plain = arrays.map(array => Float32Array.from(array));
          const [expected, by, elected] = [0, 1, 2].map(() => new Float32Array(length)) as [
            Float32Array,
            Float32Array,
            Float32Array,
          ];
          unit.loops.sums[n - 1]!(at(sum), length, ...arrays.map(at), ...weights);
          sumInto(expected, plain, weights, length);
          sum.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(2e-3));
          unit.loops.consensus[n - 1]!(at(sum), at(weight), length, ...arrays.map(at), ...weights, ...weights);
          consensusInto(expected, by, elected, plain, weights, weights, length);
          const votes = Float32Array.from(expected, (_, i) => plain.reduce((s, x, k) => s + x[i]! * weights[k]!, 0));
          sum.forEach((x, i) => {
            if (Math.abs(votes[i]!) < 1e-2) return; // an election that rounding decides
            expect(Math.abs(x - expected[i]!)).toBeLessThan(2e-3);
            expect(Math.abs(weight[i]! - by[i]!)).toBeLessThan(1e-5);
          });
        },
      ),
      { numRuns: 30 },
    );
  });

  it('differences, products, sizes, bounds, division', () => {
    fc.assert(
      fc.property(numbers, numbers, (first, second) => {
        const length = Math.min(first.length, second.length);
        const [a, b, out] = [inside(first), inside(second), inside(first)];
        unit.loops.subtract(at(out), at(a), at(b), length);
        expect([...out.subarray(0, length)]).toEqual([...a.subarray(0, length)].map((x, i) => Math.fround(x - b[i]!)));
        const dot = [...a.subarray(0, length)].reduce((s, x, i) => s + x * b[i]!, 0);
        expect(unit.loops.dot(at(a), at(b), length)).toBeCloseTo(dot, 3);
        expect(unit.loops.size(at(a), length)).toBeCloseTo(
          [...a.subarray(0, length)].reduce((s, x) => s + Math.abs(x), 0),
          3,
        );
        const top = Math.max(...a.subarray(0, length).map(Math.abs));
        expect([unit.loops.below(at(a), top + 1, length), unit.loops.below(at(a), top, length)]).toEqual([1, 0]);
        const quotient = inside(first);
        unit.loops.divide(at(quotient), at(b), length);
        quotient.subarray(0, length).forEach((x, i) => expect(x).toBe(b[i] === 0 ? a[i] : Math.fround(a[i]! / b[i]!)));
      }),
    );
  });

  it('dropping stops before a number at the threshold', () => {
    const x = inside([1, -5, 3, 0.5, 2, 9, -2.5, 1, 7, 4, 4, 4]);
    expect(unit.loops.dropBelow(at(x), 2.5, 12)).toBe(4);
    expect([...x]).toEqual([0, -5, 3, 0, 2, 9, -2.5, 1, 7, 4, 4, 4]);
    expect(unit.loops.dropBelow(at(x), 6, 12)).toBe(12);
    expect([...x]).toEqual([0, 0, 0, 0, 0, 9, 0, 0, 7, 0, 0, 0]);
  });

  it('bfloat16 both ways, bit for bit', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 0xffffffff }), { minLength: 8, maxLength: 8 }), words => {
        const x = inside(new Array<number>(8).fill(0));
        new Uint32Array(x.buffer, x.byteOffset, 8).set(words);
        const from = new Uint32Array(x.buffer, x.byteOffset, 8).slice();
        const out = inside([0, 0, 0, 0]);
        unit.loops.narrowBf16(at(out), at(x), 8);
        const expected = new Uint16Array(8);
        narrowBf16(from, expected);
        const found = new Uint16Array(out.buffer, out.byteOffset, 8);
        const isNaN = (half: number): boolean => (half & 0x7f80) === 0x7f80 && (half & 0x7f) !== 0;
        found.forEach((half, i) =>
          isNaN(expected[i]!) ? expect(isNaN(half)).toBe(true) : expect(half).toBe(expected[i]),
        );
        const wide = inside(new Array<number>(8).fill(0));
        unit.loops.widenBf16(at(wide), at(out), 8);
        const back = new Uint32Array(8);
        widenBf16(Uint16Array.from(found), back);
        expect([...new Uint32Array(wide.buffer, wide.byteOffset, 8)]).toEqual([...back]);
      }),
    );
  });
});
