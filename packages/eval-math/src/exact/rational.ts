/** Fractions of whole numbers of any size, in lowest terms with a positive denominator. */

import { bitLength, gcd } from './whole.js';

export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}

export const zero: Rational = { n: 0n, d: 1n };
export const one: Rational = { n: 1n, d: 1n };
export const whole = (n: bigint | number): Rational => ({ n: BigInt(n), d: 1n });

export const abs = (n: bigint): bigint => (n < 0n ? -n : n);

/** @param d not 0 */
export function rational(n: bigint, d: bigint): Rational {
  if (d === 1n) return { n, d };
  const common = gcd(n, d);
  const sign = d < 0n ? -common : common;
  return sign === 1n ? { n, d } : { n: n / sign, d: d / sign };
}

/** Knuth's way: the common divisor of the denominators first, so that no gcd is taken of longer numbers than needed. */
export function add(a: Rational, b: Rational): Rational {
  if (a.d === 1n && b.d === 1n) return { n: a.n + b.n, d: 1n };
  const common = gcd(a.d, b.d);
  if (common === 1n) return { n: a.n * b.d + b.n * a.d, d: a.d * b.d };
  const [left, right] = [a.d / common, b.d / common];
  const n = a.n * right + b.n * left;
  const rest = gcd(n, common);
  return { n: n / rest, d: left * (b.d / rest) };
}
export const negate = (a: Rational): Rational => ({ n: -a.n, d: a.d });
export const subtract = (a: Rational, b: Rational): Rational => add(a, negate(b));
/** ±1: what needs no lowest terms afterwards. */
const isUnit = (a: Rational): boolean => a.d === 1n && (a.n === 1n || a.n === -1n);

export function multiply(a: Rational, b: Rational): Rational {
  if (isUnit(b)) return b.n === 1n ? a : negate(a);
  if (isUnit(a)) return a.n === 1n ? b : negate(b);
  if (a.d === 1n && b.d === 1n) return { n: a.n * b.n, d: 1n };
  const [across, back] = [gcd(a.n, b.d), gcd(b.n, a.d)];
  return { n: (a.n / across) * (b.n / back), d: (a.d / back) * (b.d / across) };
}
/** @param b not 0 */
export const divide = (a: Rational, b: Rational): Rational =>
  isUnit(b) ? multiply(a, b) : isUnit(a) && a.n === 1n ? inverse(b) : rational(a.n * b.d, a.d * b.n);
const inverse = (a: Rational): Rational => (a.n < 0n ? { n: -a.d, d: -a.n } : { n: a.d, d: a.n });
export const equals = (a: Rational, b: Rational): boolean => a.n === b.n && a.d === b.d;
export const compare = (a: Rational, b: Rational): number => {
  const difference = a.n * b.d - b.n * a.d;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
};

export function floor(a: Rational): bigint {
  const quotient = a.n / a.d;
  return a.n < 0n && quotient * a.d !== a.n ? quotient - 1n : quotient;
}

/** About how many bits it takes to write the larger part down. */
export const bitsOf = (a: Rational): number => Math.max(bitLength(a.n), bitLength(a.d));

/** The nearest double; right also where both parts are beyond the range of doubles. */
export function toNumber(a: Rational): number {
  const [n, d] = [Number(a.n), Number(a.d)];
  if (Number.isFinite(n) && Number.isFinite(d)) return n / d;
  const shift = BigInt(Math.max(0, bitLength(a.n) - bitLength(a.d)) - 64);
  const scaled = shift >= 0n ? abs(a.n) / (a.d << shift) : (abs(a.n) << -shift) / a.d;
  const value = Number(scaled) * 2 ** Number(shift);
  return a.n < 0n ? -value : value;
}

export const show = (a: Rational): string => (a.d === 1n ? a.n.toString() : `${a.n}/${a.d}`);
