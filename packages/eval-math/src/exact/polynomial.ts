/**
 * Sums of monomials with exact coefficients. A monomial is a product of generators with rational exponents. Generators are
 * names: symbols, pi, e, the imaginary unit, primes (with exponents between 0 and 1, so that radicals are in normal form)
 * and whole expressions that cannot be taken apart.
 */

import { overBudget, spend, type Budget } from '../budget.js';
import * as q from './rational.js';
import * as w from './whole.js';
import type { Rational } from './rational.js';

/** Generator and exponent, sorted by generator; exponents are not 0. */
export type Monomial = readonly (readonly [generator: string, exponent: Rational])[];

export interface Term {
  readonly coefficient: Rational;
  readonly monomial: Monomial;
}

/** By the key of the monomial; no coefficient is 0. */
export type Polynomial = ReadonlyMap<string, Term>;

export const imaginary = 'i';
export const primeGenerator = (p: bigint): string => `#${p}`;
const isPrimeGenerator = (generator: string): boolean => generator.charCodeAt(0) === 35;

const mostTerms = 600;

export const keyOf = (monomial: Monomial): string =>
  monomial.length === 0 ? '' : monomial.map(([g, e]) => (e.n === 1n && e.d === 1n ? g : `${g}^${q.show(e)}`)).join('*');

export const zero: Polynomial = new Map();
export const constant = (value: Rational): Polynomial =>
  value.n === 0n ? zero : new Map([['', { coefficient: value, monomial: [] }]]);
export const one: Polynomial = constant(q.one);

export function generator(name: string, exponent: Rational = q.one): Polynomial {
  const monomial: Monomial = [[name, exponent]];
  return new Map([[keyOf(monomial), { coefficient: q.one, monomial }]]);
}

export const isZero = (p: Polynomial): boolean => p.size === 0;
/** Its value, where it is a number; null otherwise. */
export function valueOf(p: Polynomial): Rational | null {
  if (p.size === 0) return q.zero;
  return p.size === 1 ? (p.get('')?.coefficient ?? null) : null;
}
/** Its only term, or null. */
export const single = (p: Polynomial): Term | null => (p.size === 1 ? p.values().next().value! : null);

function addTo(sum: Map<string, Term>, key: string, term: Term, budget: Budget): void {
  const before = sum.get(key);
  if (before === undefined) {
    sum.set(key, term);
    if (sum.size > mostTerms) overBudget('terms');
    return;
  }
  const coefficient = q.add(before.coefficient, term.coefficient);
  check(coefficient, budget);
  if (coefficient.n === 0n) sum.delete(key);
  else sum.set(key, { coefficient, monomial: term.monomial });
}

function check(value: Rational, budget: Budget): void {
  if (value.d === 1n && !isLong(value.n)) return;
  const [over, under] = [w.bitLength(value.n), w.bitLength(value.d)];
  const bits = Math.max(over, under);
  // A fraction was brought to lowest terms, which takes time with the product of the lengths.
  spend(budget, (bits >> 8) + ((over * under) >> 14));
  if (bits > budget.limits.bits) overBudget('bits');
}

export function add(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  if (a.size === 0) return b;
  if (b.size === 0) return a;
  const sum = new Map(a);
  spend(budget, b.size);
  for (const [key, term] of b) addTo(sum, key, term, budget);
  return sum;
}

export function scale(a: Polynomial, by: Rational, budget: Budget): Polynomial {
  if (by.n === 0n) return zero;
  if (by.n === 1n && by.d === 1n) return a;
  spend(budget, a.size);
  const result = new Map<string, Term>();
  for (const [key, { coefficient, monomial }] of a) {
    const scaled = q.multiply(coefficient, by);
    check(scaled, budget);
    result.set(key, { coefficient: scaled, monomial });
  }
  return result;
}

export const negate = (a: Polynomial, budget: Budget): Polynomial => scale(a, q.whole(-1), budget);

/** The product of two terms; whole powers of primes and of i are taken into the coefficient. */
function multiplyTerms(a: Term, b: Term, budget: Budget): Term {
  spend(budget, 1 + a.monomial.length + b.monomial.length);
  let coefficient = q.multiply(a.coefficient, b.coefficient);
  check(coefficient, budget);
  if (a.monomial.length === 0) return { coefficient, monomial: b.monomial };
  if (b.monomial.length === 0) return { coefficient, monomial: a.monomial };
  const merged: [string, Rational][] = [];
  let [i, j] = [0, 0];
  while (i < a.monomial.length || j < b.monomial.length) {
    const left = a.monomial[i];
    const right = b.monomial[j];
    if (right === undefined || (left !== undefined && left[0] < right[0])) {
      merged.push(left as [string, Rational]);
      i++;
    } else if (left === undefined || right[0] < left[0]) {
      merged.push(right as [string, Rational]);
      j++;
    } else {
      const name = left[0];
      const exponent = q.add(left[1], right[1]);
      i++;
      j++;
      if (exponent.n === 0n) continue;
      if (name === imaginary) {
        const power = Number(((exponent.n % 4n) + 4n) % 4n);
        if (exponent.d === 1n) {
          if (power >= 2) coefficient = q.negate(coefficient);
          if (power % 2 === 1) merged.push([imaginary, q.one]);
        } else merged.push([imaginary, exponent]);
      } else if (isPrimeGenerator(name)) {
        const whole = q.floor(exponent);
        const rest = q.subtract(exponent, q.whole(whole));
        if (whole !== 0n) coefficient = q.multiply(coefficient, primePower(BigInt(name.slice(1)), whole, budget));
        if (rest.n !== 0n) merged.push([name, rest]);
      } else merged.push([name, exponent]);
    }
  }
  for (const [, { n, d }] of merged) if (isLong(n) || isLong(d)) spend(budget, 1 + writing(n) + writing(d));
  return { coefficient, monomial: merged };
}

const isLong = (n: bigint): boolean => n > 0x1fffffffffffffn || n < -0x1fffffffffffffn;
/** Steps that it takes to write a long exponent into a key in decimal digits: with the square of its length. */
const writing = (n: bigint): number => Math.floor(w.bitLength(n) ** 2 / 2 ** 19);

export function primePower(prime: bigint, exponent: bigint, budget: Budget): Rational {
  const size = q.abs(exponent);
  if (size * BigInt(w.bitLength(prime)) > BigInt(budget.limits.bits)) overBudget('bits');
  const power = prime ** size;
  return exponent < 0n ? { n: 1n, d: power } : { n: power, d: 1n };
}

export function multiply(a: Polynomial, b: Polynomial, budget: Budget): Polynomial {
  if (a.size === 0 || b.size === 0) return zero;
  if (a === one) return b;
  if (b === one) return a;
  const sum = new Map<string, Term>();
  for (const left of a.values()) {
    for (const right of b.values()) {
      const term = multiplyTerms(left, right, budget);
      addTo(sum, keyOf(term.monomial), term, budget);
    }
  }
  return sum;
}

export function power(a: Polynomial, exponent: number, budget: Budget): Polynomial {
  let result = one;
  let square = a;
  for (let n = exponent; n > 0; n >>= 1) {
    if (n & 1) result = multiply(result, square, budget);
    if (n > 1) square = multiply(square, square, budget);
  }
  return result;
}

/** Terms in a fixed order, as text: equal polynomials have equal keys. */
export function show(p: Polynomial): string {
  if (p.size === 0) return '0';
  const terms = [...p].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return terms
    .map(([key, { coefficient }]) =>
      key === ''
        ? q.show(coefficient)
        : coefficient.n === 1n && coefficient.d === 1n
          ? key
          : `${q.show(coefficient)}*${key}`,
    )
    .join(' + ');
}
