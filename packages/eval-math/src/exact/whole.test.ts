import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bitLength, factorial, gcd, largestTrial, smallFactors, squareRoot } from './whole.js';

/** Euclid's way, by definition. */
function euclid(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b];
  while (y !== 0n) [x, y] = [y, x % y];
  return x;
}

const bits = (most: number) => fc.bigInt({ min: -(2n ** BigInt(most)), max: 2n ** BigInt(most) });

describe('greatest common divisor', () => {
  test('equals Euclid’s, of numbers of all lengths with a factor in common', () => {
    fc.assert(
      fc.property(bits(600), bits(600), bits(300), (a, b, common) => {
        expect(gcd(a * common, b * common)).toBe(euclid(a * common, b * common));
      }),
      { numRuns: 2_000 },
    );
  });

  test('equals Euclid’s where the lengths differ much', () => {
    fc.assert(
      fc.property(bits(2_000), bits(60), (a, b) => {
        expect(gcd(a, b)).toBe(euclid(a, b));
        expect(gcd(b * b * b, a)).toBe(euclid(a, b * b * b));
      }),
    );
  });

  test.each([
    [0n, 0n],
    [0n, -5n],
    [2n ** 53n, 2n ** 53n - 1n],
    [2n ** 53n + 1n, 2n ** 53n],
    [2n ** 4_000n, 2n ** 3_999n],
    [-(2n ** 4_000n), 6n],
  ])('%i and %i', (a, b) => {
    expect(gcd(a, b)).toBe(euclid(a, b));
    expect(gcd(b, a)).toBe(euclid(a, b));
  });

  test('neighbours of Fibonacci, whose quotients are all 1', () => {
    let [a, b] = [1n, 1n];
    for (let n = 0; n < 3_000; n++) [a, b] = [b, a + b];
    expect(gcd(a, b)).toBe(1n);
    expect(gcd(a * 21n, b * 21n)).toBe(21n);
  });
});

test('a square root is the largest whole number whose square fits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 3_000n }), fc.nat(2 ** 30), (long, short) => {
      for (const n of [long, BigInt(short), long * long, long * long + 1n, BigInt(short) ** 2n]) {
        const root = squareRoot(n);
        expect(root * root <= n && (root + 1n) ** 2n > n).toBe(true);
      }
    }),
  );
});

test('factorials and double factorials', () => {
  let [value, odd, even] = [1n, 1n, 1n];
  for (let n = 0; n < 200; n++) {
    if (n > 0) value *= BigInt(n);
    if (n % 2 === 1) odd *= BigInt(n);
    else if (n > 0) even *= BigInt(n);
    expect(factorial(n)).toBe(value);
    expect(factorial(n, 2)).toBe(n % 2 === 1 ? odd : even);
  }
});

test('small factors are prime, and what is left has none', () => {
  const isPrime = (n: bigint): boolean => {
    for (let k = 2n; k * k <= n; k++) if (n % k === 0n) return false;
    return n > 1n;
  };
  const part = fc.oneof(fc.integer({ min: 1, max: 2_100 }), fc.integer({ min: 1, max: 2 ** 31 - 1 }));
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.nat(40), (parts, power) => {
      const n = parts.reduce((product, x) => product * BigInt(x), BigInt(parts[0]!) ** BigInt(power));
      const { factors, rest } = smallFactors(n);
      expect(factors.reduce((product, [prime, exponent]) => product * prime ** exponent, rest)).toBe(n);
      expect(factors.every(([prime]) => isPrime(prime))).toBe(true);
      expect(factors.map(([prime]) => prime)).toEqual(
        [...new Set(factors.map(([prime]) => prime))].sort((a, b) => (a < b ? -1 : 1)),
      );
      for (let k = 2n; k < largestTrial; k++)
        if (rest % k === 0n && k !== rest) throw new Error(`${k} divides ${rest}`);
    }),
    { numRuns: 60 },
  );
});

test('lengths in bits', () => {
  for (const bits of [1, 10, 53]) expect(bitLength(2n ** BigInt(bits) - 1n)).toBe(bits);
  expect(Math.abs(bitLength(2n ** 1_000n) - 1_001)).toBeLessThan(4);
});
