/** Fractions against the definition: cross multiplication, and lowest terms. */

import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as q from './rational.js';
import { gcd } from './whole.js';

const fraction = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.bigInt({ min: 1n, max: 10n ** 12n }))
  .map(([n, d]) => q.rational(n, d));
const inLowestTerms = ({ n, d }: q.Rational): boolean => d > 0n && (n === 0n ? d === 1n : gcd(n, d) === 1n);

describe('fractions', () => {
  it('add, subtract, multiply and divide', () => {
    fc.assert(
      fc.property(fraction, fraction, (a, b) => {
        const [sum, product] = [q.add(a, b), q.multiply(a, b)];
        expect(sum.n * a.d * b.d).toBe((a.n * b.d + b.n * a.d) * sum.d);
        expect(product.n * a.d * b.d).toBe(a.n * b.n * product.d);
        expect(q.subtract(sum, b)).toEqual(a);
        expect([sum, product].every(inLowestTerms)).toBe(true);
        if (b.n !== 0n) expect(q.multiply(q.divide(a, b), b)).toEqual(a);
      }),
    );
  });

  it('have a whole part below them', () => {
    fc.assert(
      fc.property(fraction, a => {
        const whole = q.floor(a);
        expect(q.compare(q.whole(whole), a)).toBeLessThanOrEqual(0);
        expect(q.compare(q.whole(whole + 1n), a)).toBe(1);
      }),
    );
  });

  it('become the nearest double, also where their parts are beyond doubles', () => {
    expect(q.toNumber({ n: 1n, d: 3n })).toBe(1 / 3);
    expect(q.toNumber({ n: 10n ** 400n, d: 3n * 10n ** 399n })).toBeCloseTo(10 / 3, 12);
    expect(q.toNumber({ n: -(10n ** 400n), d: 10n ** 400n + 1n })).toBeCloseTo(-1, 12);
  });
});
