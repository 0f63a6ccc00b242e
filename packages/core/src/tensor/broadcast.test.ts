import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { sizeOf, stridesOf } from '../ir/shape.js';
import { uniforms } from '../random/philox.js';
import type { HostTensor, Shape } from '../ir/types.js';
import { evaluate, host } from './evaluate.js';
import {
  abs,
  and,
  argmax,
  clip,
  concat,
  constant,
  cumsum,
  maximum,
  minimum,
  not,
  nucleus,
  or,
  sampleToken,
  sign,
  where,
  type Tensor,
} from './index.js';

/** Cell of `t` that a broadcast shows at `at`: NumPy's rule, written by hand. */
function seen(t: HostTensor, at: readonly number[]): number {
  const strides = stridesOf(t.shape);
  const skip = at.length - t.shape.length;
  return t.data[t.shape.reduce((n, d, i) => n + (d === 1 ? 0 : at[i + skip]! * strides[i]!), 0)]!;
}

const placesOf = (shape: Shape): number[][] =>
  Array.from({ length: sizeOf(shape) }, (_, cell) => shape.map((d, i) => Math.floor(cell / stridesOf(shape)[i]!) % d));

/** Shapes that broadcast together: a joint shape, with axes put to 1 or left away. */
const pairs = fc.array(fc.integer({ min: 1, max: 3 }), { maxLength: 4 }).chain(joint => {
  const one = fc
    .tuple(
      fc.integer({ min: 0, max: joint.length }),
      fc.array(fc.boolean(), { minLength: joint.length, maxLength: joint.length }),
    )
    .map(([cut, ones]) => joint.map((d, i) => (ones[i] ? 1 : d)).slice(cut));
  return fc.tuple(one, one, one);
});

const numbers = (shape: Shape, seed: number): HostTensor => {
  const draw = uniforms(seed, 5);
  return host(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.round(8 * draw()) / 4 - 1),
  );
};
const jointOf = (...shapes: Shape[]): number[] => {
  const rank = Math.max(...shapes.map(s => s.length));
  return Array.from({ length: rank }, (_, i) => Math.max(...shapes.map(s => s[i - rank + s.length] ?? 1)));
};

describe('broadcasting', () => {
  const rules: readonly (readonly [string, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number])[] = [
    ['add', (a, b) => a.add(b), (a, b) => Math.fround(a + b)],
    ['sub', (a, b) => a.sub(b), (a, b) => Math.fround(a - b)],
    ['mul', (a, b) => a.mul(b), (a, b) => Math.fround(a * b)],
    ['div', (a, b) => a.div(b), (a, b) => Math.fround(a / b)],
    ['less', (a, b) => a.less(b), (a, b) => Number(a < b)],
    ['greater', (a, b) => a.greater(b), (a, b) => Number(a > b)],
    ['equal', (a, b) => a.equal(b), (a, b) => Number(a === b)],
    ['maximum', maximum, Math.max],
    ['minimum', minimum, Math.min],
  ];
  it.each(rules)('%s follows NumPy', (_name, fn, cell) => {
    fc.assert(
      fc.property(pairs, fc.nat(1000), ([a, b], seed) => {
        const [x, z] = [numbers(a, seed), numbers(b, seed + 1)];
        const found = evaluate(fn, x, z);
        expect(found.shape).toEqual(jointOf(a, b));
        const expected = placesOf(found.shape).map(at => cell(seen(x, at), seen(z, at)));
        expected.forEach((e, i) => expect(found.data[i]! + 0).toBe(e + 0));
      }),
      { numRuns: 40 },
    );
  });

  it('where broadcasts all three', () => {
    fc.assert(
      fc.property(pairs, fc.nat(1000), ([a, b, c], seed) => {
        const [x, y, z] = [numbers(a, seed), numbers(b, seed + 1), numbers(c, seed + 2)];
        const found = evaluate((p, q, r) => where(p.less(0), q, r), x, y, z);
        expect(found.shape).toEqual(jointOf(a, b, c));
        expect([...found.data]).toEqual(placesOf(found.shape).map(at => (seen(x, at) < 0 ? seen(y, at) : seen(z, at))));
      }),
      { numRuns: 40 },
    );
  });

  it('matmul broadcasts leading axes and agrees with a triple loop', () => {
    fc.assert(
      fc.property(
        pairs,
        fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
        fc.boolean(),
        fc.boolean(),
        fc.nat(1000),
        ([a, b], [m, k, n], transposeLeft, transposeRight, seed) => {
          const x = numbers([...a, ...(transposeLeft ? [k, m] : [m, k])], seed);
          const z = numbers([...b, ...(transposeRight ? [n, k] : [k, n])], seed + 1);
          const found = evaluate((p, q) => p.matmul(q, { transposeLeft, transposeRight }), x, z);
          expect(found.shape).toEqual([...jointOf(a, b), m, n]);
          const expected = placesOf(found.shape).map(at => {
            const [batch, [i, j]] = [at.slice(0, -2), at.slice(-2) as [number, number]];
            let sum = 0;
            for (let q = 0; q < k; q++)
              sum +=
                seen(x, [...batch, ...(transposeLeft ? [q, i] : [i, q])]) *
                seen(z, [...batch, ...(transposeRight ? [j, q] : [q, j])]);
            return Math.fround(sum);
          });
          expected.forEach((e, i) => expect(found.data[i]! + 0).toBe(e + 0));
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('movement and indexing against index arithmetic', () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  it('transpose', () => {
    fc.assert(
      fc.property(
        shapes.chain(s => fc.tuple(fc.constant(s), fc.shuffledSubarray([...s.keys()], { minLength: s.length }))),
        ([shape, order]) => {
          const x = numbers(shape, 1);
          const found = evaluate(t => t.transpose(...order), x);
          expect([...found.data]).toEqual(
            placesOf(found.shape).map(at =>
              seen(
                x,
                shape.map((_, i) => at[order.indexOf(i)]!),
              ),
            ),
          );
        },
      ),
    );
  });
  it('slice and pad undo each other, and pad fills with zeros', () => {
    fc.assert(
      fc.property(shapes, fc.nat(3), fc.nat(2), fc.nat(2), (shape, pick, low, high) => {
        const axis = pick % shape.length;
        const x = numbers(shape, 2);
        expect([...evaluate(t => t.pad(axis, low, high).slice(axis, low, low + shape[axis]!), x).data]).toEqual([
          ...x.data,
        ]);
        const padded = evaluate(t => t.pad(axis, low, high), x);
        const sum = (t: HostTensor): number => Array.from(t.data).reduce((n, v) => n + Math.abs(v), 0);
        expect(sum(padded)).toBeCloseTo(sum(x), 4);
      }),
    );
  });
  it('gather and scatterAdd against loops', () => {
    fc.assert(
      fc.property(shapes, fc.nat(3), fc.array(fc.nat(3), { minLength: 1, maxLength: 5 }), (shape, pick, rows) => {
        const axis = pick % shape.length;
        const index = rows.map(r => r % shape[axis]!);
        const x = numbers(shape, 3);
        const at = host([index.length], index, 'i32');
        const taken = evaluate((t, i) => t.gather(i, axis), x, at);
        expect([...taken.data]).toEqual(
          placesOf(taken.shape).map(place =>
            seen(
              x,
              place.map((p, i) => (i === axis ? index[p]! : p)),
            ),
          ),
        );
        const back = evaluate((t, i) => t.scatterAdd(i, axis, shape[axis]!), taken, at);
        const times = (row: number): number => index.filter(i => i === row).length;
        expect([...back.data].map(v => v + 0)).toEqual(
          placesOf(shape).map(place => Math.fround(seen(x, place) * times(place[axis]!)) + 0),
        );
      }),
    );
  });
  it('sum and max over any axes', () => {
    fc.assert(
      fc.property(
        shapes.chain(s => fc.tuple(fc.constant(s), fc.subarray([...s.keys()], { minLength: 1 }))),
        ([shape, axes]) => {
          const x = numbers(shape, 4);
          const group = (at: readonly number[]): number[] =>
            placesOf(shape)
              .filter(place => shape.every((_, i) => axes.includes(i) || place[i] === at[i]))
              .map(place => seen(x, place));
          const sum = evaluate(t => t.sum(axes, { keep: true }), x);
          const max = evaluate(t => t.max(axes, { keep: true }), x);
          expect([...sum.data].map(v => v + 0)).toEqual(
            placesOf(sum.shape).map(at => group(at).reduce((a, b) => a + b, 0) + 0),
          );
          expect([...max.data]).toEqual(placesOf(max.shape).map(at => Math.max(...group(at))));
          expect(evaluate(t => t.sum(axes), x).shape).toEqual(shape.filter((_, i) => !axes.includes(i)));
        },
      ),
    );
  });
  it('concat joins in order', () => {
    expect([
      ...evaluate((a, b) => concat([a, b, a], 1), host([2, 1], [1, 2]), host([2, 2], [3, 4, 5, 6])).data,
    ]).toEqual([1, 3, 4, 1, 2, 5, 6, 2]);
  });
});

describe('sugar against plain arithmetic', () => {
  const x = host([7], [-2.5, -1, -0.5, 0, 0.5, 1, 2.5]);
  const of = (fn: (t: Tensor) => Tensor): number[] => [...evaluate(fn, x).data].map(v => v + 0);
  it('abs, sign, clip, logic', () => {
    expect(of(abs)).toEqual([2.5, 1, 0.5, 0, 0.5, 1, 2.5]);
    expect(of(sign)).toEqual([-1, -1, -1, 0, 1, 1, 1]);
    expect(of(t => clip(t, -1, 0.5))).toEqual([-1, -1, -0.5, 0, 0.5, 0.5, 0.5]);
    expect(of(t => and(t.greater(-1), t.less(1)))).toEqual([0, 0, 1, 1, 1, 0, 0]);
    expect(of(t => or(t.less(-1), t.greater(1)))).toEqual([1, 0, 0, 0, 0, 0, 1]);
    expect(of(t => not(t.less(0)))).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });
  it('cumsum, mean, variance', () => {
    expect(of(cumsum)).toEqual([-2.5, -3.5, -4, -4, -3.5, -2.5, 0]);
    expect(of(t => t.mean())).toEqual([0]);
    expect(of(t => t.variance())[0]).toBeCloseTo((2 * (2.5 ** 2 + 1 + 0.25)) / 7, 6);
  });
  it('casts truncate towards zero, and anything but 0 is true', () => {
    expect(of(t => t.cast('i32'))).toEqual([-2, -1, 0, 0, 0, 1, 2]);
    expect(of(t => t.cast('bool'))).toEqual([1, 1, 1, 0, 1, 1, 1]);
  });
  it('i32 division truncates towards zero', () => {
    expect([
      ...evaluate((a, b) => a.div(b), host([4], [7, -7, 7, -7], 'i32'), host([4], [2, 2, -2, -2], 'i32')).data,
    ]).toEqual([3, -3, -3, 3]);
  });
  it('sampleToken follows the softmax, and nucleus keeps the smallest likely set', () => {
    const probabilities = [0.5, 0.3, 0.15, 0.05];
    const n = 4000;
    const logits = constant(Array.from({ length: n }, () => probabilities.map(Math.log)).flat(), [n, 4]);
    const draw = uniforms(3, 3);
    const tokens = evaluate(noise => sampleToken(logits, noise), host([n, 4], Array.from({ length: n * 4 }, draw)));
    const share = probabilities.map((_, t) => tokens.data.filter(v => v === t).length / n);
    share.forEach((s, t) => expect(Math.abs(s - probabilities[t]!)).toBeLessThan(0.03));
    const p = host([1, 4], [0.15, 0.5, 0.05, 0.3]);
    expect([...evaluate(t => nucleus(t, 0.75), p).data]).toEqual([0, 1, 0, 1]);
    expect([...evaluate(t => nucleus(t, 0.9), p).data]).toEqual([1, 1, 0, 1]);
    expect([...evaluate(t => argmax(t), p).data]).toEqual([1]);
  });
});
