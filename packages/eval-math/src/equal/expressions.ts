/** Whether two expressions are equal: by their normal forms, by numbers where those cannot tell. */

import { overBudget, spend, type Budget } from '../budget.js';
import {
  difference,
  formOf,
  isNotAnExpression,
  openScope,
  rationalOf,
  sumOfPolynomial,
  valueOfForm,
  type Form,
  type Scope,
} from '../exact/form.js';
import * as p from '../exact/polynomial.js';
import * as q from '../exact/rational.js';
import type { Rational } from '../exact/rational.js';
import * as z from '../numeric/complex.js';
import type { Assignment } from '../numeric/evaluate.js';
import { some, type Node } from '../tree.js';

/** null: cannot be told within the limits. */
export type Answer = boolean | null;

export interface Found {
  readonly answer: Answer;
  readonly rule: string;
}

/** Symbols with free values, sorted. */
function symbolsOf(...nodes: readonly Node[]): readonly string[] {
  const names = new Set<string>();
  for (const node of nodes)
    some(node, n => {
      if (n.kind === 'symbol' && n.name !== 'e' && n.name !== 'i') names.add(n.name);
      return false;
    });
  return [...names].sort();
}

/** Both forms in one scope; null where one is no expression. */
function formsOf(
  a: Node,
  b: Node,
  budget: Budget,
): { readonly a: Form; readonly b: Form; readonly scope: Scope } | null {
  const scope = openScope(budget);
  try {
    return { a: formOf(a, scope), b: formOf(b, scope), scope };
  } catch (error) {
    if (isNotAnExpression(error)) return null;
    throw error;
  }
}

/** A number written with a point stands for all that round to it. */
export interface Decimal {
  readonly value: Rational;
  readonly decimals: number;
  readonly digits: number;
}

function decimalOf(node: Node): Decimal | null {
  switch (node.kind) {
    case 'number':
      return node.decimals === null ? null : { value: node.value, decimals: node.decimals, digits: node.digits };
    case 'neg': {
      const inner = decimalOf(node.arg);
      return inner && { ...inner, value: q.negate(inner.value) };
    }
    case 'quantity':
      return decimalOf(node.arg);
    case 'percent': {
      const inner = decimalOf(node.arg);
      return inner && { ...inner, value: q.divide(inner.value, q.whole(100)), decimals: inner.decimals + 2 };
    }
    case 'mul': {
      // 1.23 × 10^-4
      const [first, power] = node.args;
      const inner = first && node.args.length === 2 ? decimalOf(first) : null;
      if (!inner || power?.kind !== 'pow' || power.base.kind !== 'number' || power.base.value.n !== 10n) return null;
      const { exponent } = power;
      const n =
        exponent.kind === 'number'
          ? exponent.value.n
          : exponent.kind === 'neg' && exponent.arg.kind === 'number'
            ? -exponent.arg.value.n
            : null;
      if (n === null || n > 400n || n < -400n) return null;
      const shift = n >= 0n ? q.whole(10n ** n) : { n: 1n, d: 10n ** -n };
      return {
        value: q.multiply(inner.value, shift),
        decimals: Math.max(0, inner.decimals - Number(n)),
        digits: inner.digits,
      };
    }
    default:
      return null;
  }
}

/**
 * Whether a decimal is another value, rounded or cut off: within half a unit of its last digit (a whole one where it was
 * cut), written with enough digits that this is no accident.
 *
 * @param places how many digits behind the point are enough; with fewer, two more significant digits than that are
 */
function isRounded(decimal: Decimal, other: number | Rational, places: number): boolean {
  if (decimal.value.n === 0n) return false;
  if (decimal.decimals < places && decimal.digits < places + 2) return false;
  if (decimal.digits < Math.min(3, places)) return false;
  if (typeof other !== 'number') {
    const unit: Rational = { n: 1n, d: 10n ** BigInt(Math.min(decimal.decimals, 400)) };
    const gap = q.subtract(decimal.value, other);
    const size: Rational = { n: q.abs(gap.n), d: gap.d };
    if (q.compare(q.multiply(size, q.whole(2)), unit) <= 0) return true;
    const cut =
      q.abs(decimal.value.n) * other.d <= q.abs(other.n) * decimal.value.d && decimal.value.n < 0n === other.n < 0n;
    return cut && q.compare(size, unit) < 0;
  }
  const unit = 10 ** -decimal.decimals;
  const value = q.toNumber(decimal.value);
  const gap = Math.abs(value - other);
  const noise = Math.abs(other) * 1e-15 * 4;
  if (gap <= unit / 2 + noise) return true;
  return Math.abs(value) <= Math.abs(other) && value < 0 === other < 0 && gap < unit;
}

/** A number, a fraction of numbers, with a sign: most answers are no more than that. null for anything else. */
export function plainRational(node: Node): Rational | null {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'neg': {
      const inner = plainRational(node.arg);
      return inner && q.negate(inner);
    }
    case 'div': {
      const [over, under] = [plainRational(node.over), plainRational(node.under)];
      return over && under && under.n !== 0n ? q.divide(over, under) : null;
    }
    default:
      return null;
  }
}

export interface ExpressionOptions {
  /** See `isRounded`. */
  readonly places: number;
}

/** @returns null where one of the two is no expression */
export function equalExpressions(a: Node, b: Node, budget: Budget, { places }: ExpressionOptions): Found | null {
  const [x, y] = [plainRational(a), plainRational(b)];
  if (x && y) {
    if (q.equals(x, y)) return { answer: true, rule: 'normal-form' };
    const [first, second] = [decimalOf(a), decimalOf(b)];
    if (first === null && second === null) return { answer: false, rule: 'normal-form' };
    const rough = first && (!second || first.decimals <= second.decimals) ? first : second!;
    return isRounded(rough, rough === first ? y : x, places)
      ? { answer: true, rule: 'rounded-decimal' }
      : { answer: false, rule: 'normal-form' };
  }
  const forms = formsOf(a, b, budget);
  if (forms === null) return null;
  const gap = difference(forms.a, forms.b, forms.scope);
  if (p.isZero(gap)) return { answer: true, rule: 'normal-form' };
  const exact = decided(a, b, gap, forms, budget);
  if (exact.answer === true) return exact;
  const rounded = roundedEqual(a, b, forms, places);
  return rounded ? { answer: true, rule: 'rounded-decimal' } : exact;
}

function decided(
  a: Node,
  b: Node,
  gap: p.Polynomial,
  { a: left, b: right, scope }: { readonly a: Form; readonly b: Form; readonly scope: Scope },
  budget: Budget,
): Found {
  const constantGap = p.valueOf(gap);
  const plain = p.valueOf(left.under) !== null && p.valueOf(right.under) !== null;
  if (constantGap !== null && plain) return { answer: false, rule: 'normal-form' };
  if (!scope.opaque) return { answer: false, rule: 'normal-form' };
  return probe(gap, left, right, symbolsOf(a, b), scope, budget, some(a, isImaginary) || some(b, isImaginary));
}

const isImaginary = (node: Node): boolean => node.kind === 'symbol' && node.name === 'i';

function roundedEqual(
  a: Node,
  b: Node,
  { a: left, b: right, scope }: { readonly a: Form; readonly b: Form; readonly scope: Scope },
  places: number,
): boolean {
  const [first, second] = [decimalOf(a), decimalOf(b)];
  if (first === null && second === null) return false;
  const rough = first && (!second || first.decimals <= second.decimals) ? first : second!;
  const exact = rough === first ? right : left;
  const node = rough === first ? b : a;
  if (symbolsOf(node).length > 0) return false;
  const rational = rationalOf(exact);
  if (rational) return isRounded(rough, rational, places);
  const value = valueOfForm(exact, {}, scope);
  return value.im === 0 && Number.isFinite(value.re) && isRounded(rough, value.re, places);
}

const tolerance = 1e-10;
const enough = 3;

/** Numbers at fixed points: positive ones first, then of both signs, then whole ones for what is meant for those. */
function pointsFor(names: readonly string[]): readonly Assignment[] {
  const points: Assignment[] = [];
  for (let round = 0; round < 10; round++) {
    const at: Record<string, z.Complex> = {};
    names.forEach((name, i) => {
      const u = uniform(round * 131 + i * 17 + 5);
      at[name] = z.complex(round < 5 ? 0.3 + 2.6 * u : round < 8 ? -2.7 + 5.4 * u : 2 + Math.floor(7 * u));
    });
    points.push(at);
  }
  return points;
}

/** A number in [0, 1) from a whole one: the fractional part of a multiple of an irrational, scrambled. */
function uniform(n: number): number {
  let x = Math.imul(n ^ 0x9e3779b9, 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

function probe(
  gap: p.Polynomial,
  left: Form,
  right: Form,
  names: readonly string[],
  scope: Scope,
  budget: Budget,
  allowComplex: boolean,
): Found {
  const found = (answer: Answer): Found => ({ answer, rule: 'numeric' });
  const points = names.length === 0 ? [{}] : pointsFor(names);
  let [agree, complexAgree, complexDiffer] = [0, 0, 0];
  for (const at of points) {
    spend(budget, 10);
    const known = new Map<string, z.Complex>();
    const { value, scale } = sumOfPolynomial(gap, at, scope, known);
    if (!z.isFinite(value) || !Number.isFinite(scale)) continue;
    const same = z.size(value) <= tolerance * scale;
    if (names.length > 0 && !allowComplex) {
      // Equal where both are real: ln(x²) and 2 ln x.
      const real = [left, right].every(form => {
        const one = valueOfForm(form, at, scope);
        return z.isFinite(one) && Math.abs(one.im) <= 1e-9 * Math.max(1, Math.abs(one.re));
      });
      if (!real) {
        if (same) complexAgree++;
        else complexDiffer++;
        continue;
      }
    }
    if (!same) return found(false);
    agree++;
  }
  // A number beyond doubles that no exact form holds either.
  if (names.length === 0) return agree === 1 ? found(true) : overBudget('bits');
  if (agree >= enough) return found(true);
  if (agree === 0 && complexDiffer === 0 && complexAgree >= enough) return found(true);
  if (agree === 0 && complexDiffer >= enough) return found(false);
  return found(null);
}

/**
 * Whether two left sides of "= 0" or "> 0" say the same: one is the other times a number.
 *
 * @returns the sign of that number; 0 where there is none; null where it cannot be told
 */
export function proportional(a: Node, b: Node, budget: Budget): 1 | -1 | 0 | null {
  const forms = formsOf(a, b, budget);
  if (forms === null) return null;
  const { scope } = forms;
  const [left, right] = [cleared(forms.a, budget), cleared(forms.b, budget)];
  if (p.isZero(left) || p.isZero(right)) return p.isZero(left) && p.isZero(right) ? 1 : 0;
  const key = [...left.keys()].reduce((x, y) => (x > y ? x : y));
  const other = right.get(key);
  if (other !== undefined) {
    const ratio = q.divide(left.get(key)!.coefficient, other.coefficient);
    const gap = p.add(left, p.scale(right, q.negate(ratio), budget), budget);
    if (p.isZero(gap)) return ratio.n > 0n ? 1 : -1;
  }
  // √2 x = 2 and x = √2: the number is no rational one.
  let ratio: z.Complex | null = null;
  let count = 0;
  for (const at of pointsFor(symbolsOf(a, b))) {
    const x = sumOfPolynomial(left, at, scope);
    const y = sumOfPolynomial(right, at, scope);
    if (
      !z.isFinite(x.value) ||
      !z.isFinite(y.value) ||
      z.size(y.value) <= 1e-6 * y.scale ||
      z.size(x.value) <= 1e-6 * x.scale
    )
      continue;
    const here = z.divide(x.value, y.value);
    if (ratio !== null && z.size(z.subtract(here, ratio)) > 1e-8 * z.size(ratio)) return 0;
    ratio = here;
    count++;
  }
  if (ratio === null || count < enough) return null;
  return Math.abs(ratio.im) > 1e-9 ? 0 : ratio.re > 0 ? 1 : -1;
}

/** The numerator, without negative powers. */
function cleared(form: Form, budget: Budget): p.Polynomial {
  const least = new Map<string, Rational>();
  for (const { monomial } of form.over.values())
    for (const [name, e] of monomial) if (e.n < 0n && q.compare(e, least.get(name) ?? q.zero) < 0) least.set(name, e);
  let result = form.over;
  for (const [name, e] of least) result = p.multiply(result, p.generator(name, q.negate(e)), budget);
  return result;
}
