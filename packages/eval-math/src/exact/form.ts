/**
 * Normal form of expressions: a quotient of two polynomials with exact coefficients over generators. Where the generators
 * are independent of each other, two expressions are equal exactly where their forms are; where they may not be (sines of
 * different angles, nested radicals), `opaque` says so and numbers have to decide.
 */

import { isStop, overBudget, spend, type Budget } from '../budget.js';
import { differentiate } from '../numeric/differentiate.js';
import { evaluate, type Assignment } from '../numeric/evaluate.js';
import * as z from '../numeric/complex.js';
import { numberNode, rewrite, some, type Node } from '../tree.js';
import * as p from './polynomial.js';
import type { Monomial, Polynomial, Term } from './polynomial.js';
import * as q from './rational.js';
import type { Rational } from './rational.js';
import * as w from './whole.js';

export interface Form {
  readonly over: Polynomial;
  readonly under: Polynomial;
}

/** What generators stand for, shared by the expressions that are compared. */
export interface Scope {
  readonly budget: Budget;
  /** How to evaluate a generator that is no symbol. */
  readonly meanings: Map<string, (at: Assignment) => z.Complex>;
  /** Polynomials that were not taken apart, by generator. */
  readonly bases: Map<string, Polynomial>;
  /** Whether relations between generators may exist that the form does not know. */
  opaque: boolean;
}

export const openScope = (budget: Budget): Scope => ({ budget, meanings: new Map(), bases: new Map(), opaque: false });

/** Thrown for what is no expression: sets, relations, texts. */
const notAnExpression = { notAnExpression: true } as const;
export const isNotAnExpression = (error: unknown): boolean => error === notAnExpression;

const half: Rational = { n: 1n, d: 2n };
const whole = (n: number): Form => ({ over: p.constant(q.whole(n)), under: p.one });
const polynomialForm = (over: Polynomial): Form => ({ over, under: p.one });
const constantForm = (value: Rational): Form => polynomialForm(p.constant(value));

function addForms(a: Form, b: Form, scope: Scope): Form {
  const { budget } = scope;
  if (a.under === b.under || p.show(a.under) === p.show(b.under))
    return { over: p.add(a.over, b.over, budget), under: a.under };
  return {
    over: p.add(p.multiply(a.over, b.under, budget), p.multiply(b.over, a.under, budget), budget),
    under: p.multiply(a.under, b.under, budget),
  };
}

function multiplyForms(a: Form, b: Form, { budget }: Scope): Form {
  return tidy({ over: p.multiply(a.over, b.over, budget), under: p.multiply(a.under, b.under, budget) }, budget);
}

const negateForm = (a: Form, { budget }: Scope): Form => ({ over: p.negate(a.over, budget), under: a.under });

function divideForms(a: Form, b: Form, scope: Scope): Form {
  if (p.isZero(b.over)) throw notAnExpression; // no value: compared by its structure
  return multiplyForms(a, { over: b.under, under: b.over }, scope);
}

/** A denominator of one term is no denominator; one that equals the numerator goes. */
function tidy(form: Form, budget: Budget): Form {
  const below = p.single(form.under);
  if (below === null || form.under === p.one) return form;
  if (below.monomial.some(([name]) => name.includes('⟨'))) {
    // Opaque factors stay below, where a zero of theirs is seen; only the number goes up.
    if (below.coefficient.n === 1n && below.coefficient.d === 1n) return form;
    const inverse = q.divide(q.one, below.coefficient);
    return { over: p.scale(form.over, inverse, budget), under: p.scale(form.under, inverse, budget) };
  }
  const inverse: Term = {
    coefficient: q.divide(q.one, below.coefficient),
    monomial: below.monomial.map(([name, exponent]) => [name, q.negate(exponent)] as const),
  };
  const over = p.multiply(form.over, reduced(inverse, budget), budget);
  return { over, under: p.one };
}

/** One term as a polynomial, with primes and i in their range. */
function reduced(term: Term, budget: Budget): Polynomial {
  let result: Polynomial = p.constant(term.coefficient);
  for (const [name, exponent] of term.monomial)
    result = p.multiply(result, generatorPower(name, exponent, budget), budget);
  return result;
}

function generatorPower(name: string, exponent: Rational, budget: Budget): Polynomial {
  if (exponent.n === 0n) return p.one;
  if (name === p.imaginary && exponent.d === 1n) {
    const turn = Number(((exponent.n % 4n) + 4n) % 4n);
    const sign = p.constant(q.whole(turn >= 2 ? -1 : 1));
    return turn % 2 === 0 ? sign : p.multiply(sign, p.generator(p.imaginary), budget);
  }
  if (name.startsWith('#')) {
    const wholePart = q.floor(exponent);
    const rest = q.subtract(exponent, q.whole(wholePart));
    const bits = q.abs(wholePart) * BigInt(name.length * 4);
    if (bits > BigInt(budget.limits.bits)) return hugePower(name.slice(1), exponent);
    const coefficient = p.constant(p.primePower(BigInt(name.slice(1)), wholePart, budget));
    return rest.n === 0n ? coefficient : p.multiply(coefficient, p.generator(name, rest), budget);
  }
  return p.generator(name, exponent);
}

// Factors of whole numbers

/** A power too long to write down: its own kind of generator, whose exponents are never taken into a coefficient. */
const hugePower = (prime: string, exponent: Rational): Polynomial => p.generator(`↑${prime}`, exponent);

/** Prime factors; a rest beyond the square of the largest trial may not be prime. */
function factors(n: bigint, scope: Scope): readonly (readonly [prime: bigint, exponent: bigint])[] {
  spend(scope.budget, 20 + (w.bitLength(n) >> 1));
  const { factors: found, rest } = w.smallFactors(n);
  if (rest === 1n) return found;
  if (rest > w.largestTrial ** 2) scope.opaque = true;
  const root = w.squareRoot(rest);
  return [...found, root * root === rest ? [root, 2n] : [rest, 1n]];
}

// Powers

function integerPower(form: Form, exponent: bigint, scope: Scope): Form {
  const { budget } = scope;
  if (exponent < 0n) {
    if (p.isZero(form.over)) throw notAnExpression;
    return integerPower(tidy({ over: form.under, under: form.over }, budget), -exponent, scope);
  }
  if (exponent === 0n) return whole(1);
  if (exponent === 1n) return form;
  return tidy(
    { over: polynomialPower(form.over, exponent, scope), under: polynomialPower(form.under, exponent, scope) },
    budget,
  );
}

function polynomialPower(base: Polynomial, exponent: bigint, scope: Scope): Polynomial {
  const { budget } = scope;
  if (base === p.one || base.size === 0) return base;
  const term = p.single(base);
  if (term) {
    const by = q.whole(exponent);
    const coefficient = coefficientPower(term.coefficient, exponent, scope);
    let result = coefficient;
    for (const [name, e] of term.monomial)
      result = p.multiply(result, generatorPower(name, q.multiply(e, by), budget), budget);
    return result;
  }
  if (exponent <= 24n && base.size ** Math.min(Number(exponent), 6) <= 3000)
    return p.power(base, Number(exponent), budget);
  return p.generator(baseGenerator(base, scope), q.whole(exponent));
}

/** A number to a whole power; one too long to write down stays a power of its primes. */
function coefficientPower(value: Rational, exponent: bigint, scope: Scope): Polynomial {
  const { budget } = scope;
  if (exponent * BigInt(q.bitsOf(value)) <= BigInt(budget.limits.bits))
    return p.constant({ n: value.n ** exponent, d: value.d ** exponent });
  let result = p.constant(q.whole(value.n < 0n && exponent % 2n === 1n ? -1 : 1));
  for (const [part, sign] of [
    [q.abs(value.n), 1n],
    [value.d, -1n],
  ] as const) {
    if (part === 1n) continue;
    for (const [prime, e] of factors(part, scope))
      result = p.multiply(result, hugePower(prime.toString(), q.whole(sign * e * exponent)), budget);
  }
  scope.opaque = true;
  for (const [name] of result.values().next().value!.monomial)
    if (!scope.meanings.has(name)) scope.meanings.set(name, () => z.complex(Number(name.slice(1))));
  return result;
}

/** A generator that stands for a whole polynomial. */
function baseGenerator(base: Polynomial, scope: Scope): string {
  const shown = p.show(base);
  spend(scope.budget, shown.length >> 5);
  const name = `⟨${shown}⟩`;
  scope.opaque = true;
  if (!scope.bases.has(name)) {
    scope.bases.set(name, base);
    scope.meanings.set(name, at => valueOfPolynomial(base, at, scope));
  }
  return name;
}

function rationalPower(form: Form, exponent: Rational, scope: Scope): Form {
  if (exponent.d === 1n) return integerPower(form, exponent.n, scope);
  if (exponent.n < 0n) {
    if (p.isZero(form.over)) throw notAnExpression;
    return rationalPower(tidy({ over: form.under, under: form.over }, scope.budget), q.negate(exponent), scope);
  }
  return multiplyForms(
    polynomialForm(polynomialRoot(form.over, exponent, scope)),
    divideForms(whole(1), polynomialForm(polynomialRoot(form.under, exponent, scope)), scope),
    scope,
  );
}

/** A polynomial to a positive power that is no whole number. */
function polynomialRoot(base: Polynomial, exponent: Rational, scope: Scope): Polynomial {
  const { budget } = scope;
  if (base === p.one || base.size === 0) return base;
  const term = p.single(base);
  if (term === null) {
    // √(8x + 8) is 2√2 √(x + 1).
    const content = contentOf(base, budget);
    const outer = content.n === 1n && content.d === 1n ? p.one : numberRoot(content, exponent, scope);
    const inner = p.scale(base, q.divide(q.one, content), budget);
    return p.multiply(outer, p.generator(baseGenerator(inner, scope), exponent), budget);
  }
  let result: Polynomial;
  const negative = term.coefficient.n < 0n;
  if (negative && exponent.d % 2n === 1n) {
    const root = numberRoot(q.negate(term.coefficient), exponent, scope);
    result = exponent.n % 2n === 0n ? root : p.negate(root, budget);
  } else if (negative && exponent.d === 2n) {
    result = p.multiply(
      numberRoot(q.negate(term.coefficient), exponent, scope),
      generatorPower(p.imaginary, q.whole(exponent.n), budget),
      budget,
    );
  } else if (negative) return p.generator(baseGenerator(base, scope), exponent);
  else result = numberRoot(term.coefficient, exponent, scope);
  for (const [name, e] of term.monomial) {
    const positive =
      name === 'π' || name === 'e' || name.startsWith('#') || name.startsWith('e^') || name.startsWith('abs⟨');
    if (positive || (name !== p.imaginary && (exponent.d % 2n === 1n || e.n % 2n !== 0n))) {
      result = p.multiply(result, generatorPower(name, q.multiply(e, exponent), budget), budget);
    } else {
      // √(x²) is |x|, not x.
      const monomial: Monomial = [[name, e]];
      const inner: Polynomial = new Map([[p.keyOf(monomial), { coefficient: q.one, monomial }]]);
      result = p.multiply(result, p.generator(baseGenerator(inner, scope), exponent), budget);
    }
  }
  return result;
}

function numberRoot(value: Rational, exponent: Rational, scope: Scope): Polynomial {
  const { budget } = scope;
  let result: Polynomial = p.one;
  for (const [part, sign] of [
    [value.n, q.one],
    [value.d, q.whole(-1)],
  ] as const) {
    if (part === 1n) continue;
    for (const [prime, e] of factors(part, scope))
      result = p.multiply(
        result,
        generatorPower(p.primeGenerator(prime), q.multiply(q.multiply(q.whole(e), sign), exponent), budget),
        budget,
      );
  }
  return result;
}

/** It takes time with the product of the lengths. */
function commonDivisor(a: bigint, b: bigint, budget: Budget): bigint {
  spend(budget, Math.floor((w.bitLength(a) * w.bitLength(b)) / 2 ** 14));
  return w.gcd(a, b);
}

/** The largest rational that divides all coefficients, positive. */
function contentOf(base: Polynomial, budget: Budget): Rational {
  let [n, d] = [0n, 1n];
  for (const { coefficient } of base.values()) {
    n = commonDivisor(n, coefficient.n, budget);
    d = (d / commonDivisor(d, coefficient.d, budget)) * coefficient.d;
  }
  return { n, d };
}

/** base to the power of an expression: a^(2x + 1) is a (a^x)². */
function symbolicPower(base: Form, exponent: Form, scope: Scope): Form {
  const { budget } = scope;
  if (exponent.under !== p.one && p.valueOf(exponent.under) === null)
    return opaqueCall('pow', [base, exponent], scope, ([b, e]) => z.power(b!, e!));
  let result = whole(1);
  for (const { coefficient, monomial } of exponent.over.values()) {
    if (monomial.length === 0) {
      result = multiplyForms(result, rationalPower(base, coefficient, scope), scope);
      continue;
    }
    const single = p.single(base.over);
    const simple = base.under === p.one && single !== null;
    if (!simple) {
      result = multiplyForms(
        result,
        opaqueCall(
          'pow',
          [base, polynomialForm(new Map([[p.keyOf(monomial), { coefficient, monomial }]]))],
          scope,
          ([b, e]) => z.power(b!, e!),
        ),
        scope,
      );
      continue;
    }
    // Turns: e^(iπ/3).
    if (
      base.over.has('e') &&
      single.coefficient.n === 1n &&
      single.coefficient.d === 1n &&
      p.keyOf(monomial) === 'i*π'
    ) {
      const turn = unitRoot(coefficient, scope);
      if (turn) {
        result = multiplyForms(result, polynomialForm(turn), scope);
        continue;
      }
    }
    const parts: [string, Rational][] = [];
    if (single.coefficient.n <= 0n) {
      result = multiplyForms(
        result,
        opaqueCall(
          'pow',
          [base, polynomialForm(new Map([[p.keyOf(monomial), { coefficient, monomial }]]))],
          scope,
          ([b, e]) => z.power(b!, e!),
        ),
        scope,
      );
      continue;
    }
    for (const [part, sign] of [
      [single.coefficient.n, 1n],
      [single.coefficient.d, -1n],
    ] as const)
      if (part > 1n)
        for (const [prime, e] of factors(part, scope)) parts.push([p.primeGenerator(prime), q.whole(e * sign)]);
    parts.push(...(single.monomial as [string, Rational][]));
    for (const [name, e] of parts) {
      const exponentKey = p.keyOf(monomial);
      const generator = `${name.startsWith('#') ? name.slice(1) : name}^⟨${exponentKey}⟩`;
      if (!scope.meanings.has(generator)) {
        const inner: Polynomial = new Map([[exponentKey, { coefficient: q.one, monomial }]]);
        const own = name.startsWith('#') ? z.complex(Number(name.slice(1))) : null;
        scope.meanings.set(generator, at =>
          z.power(own ?? valueOfGenerator(name, at, scope), valueOfPolynomial(inner, at, scope)),
        );
        if (monomial.some(([g]) => g === p.imaginary || g.includes('⟨'))) scope.opaque = true;
        if (name.includes('⟨')) scope.opaque = true;
      }
      result = multiplyForms(result, polynomialForm(p.generator(generator, q.multiply(e, coefficient))), scope);
    }
  }
  return tidy(result, budget);
}

/** e^(iπ c) for the angles whose cosines are radicals. */
function unitRoot(c: Rational, scope: Scope): Polynomial | null {
  const cosine = exactCosine(c, scope);
  const sine = exactCosine(q.subtract(c, half), scope);
  if (cosine === null || sine === null) return null;
  return p.add(cosine, p.multiply(sine, p.generator(p.imaginary), scope.budget), scope.budget);
}

/** cos(π c) where it is 0, ±1/2, ±√2/2, ±√3/2, ±1, or one of those of 15° and 36°. */
function exactCosine(c: Rational, { budget }: Scope): Polynomial | null {
  const [n, d] = [c.n < 0n ? -c.n : c.n, c.d];
  if (![1n, 2n, 3n, 4n, 5n, 6n, 10n, 12n].includes(d)) return null;
  const turn = n % (2n * d);
  // Reflected into the first quarter: cos(2π - x) = cos x, cos(π - x) = -cos x.
  const folded = turn > d ? 2n * d - turn : turn;
  const negative = 2n * folded > d;
  const angle = q.rational(negative ? d - folded : folded, d);
  const root = (k: bigint): Polynomial => p.generator(p.primeGenerator(k), half);
  const quarter = (...parts: Polynomial[]): Polynomial =>
    p.scale(
      parts.reduce((a, b) => p.add(a, b, budget)),
      { n: 1n, d: 4n },
      budget,
    );
  const value = ((): Polynomial | null => {
    switch (q.show(angle)) {
      case '0':
        return p.one;
      case '1/2':
        return p.zero;
      case '1/3':
        return p.constant(half);
      case '1/4':
        return p.scale(root(2n), half, budget);
      case '1/6':
        return p.scale(root(3n), half, budget);
      case '1/5':
        return quarter(p.one, root(5n));
      case '2/5':
        return quarter(p.constant(q.whole(-1)), root(5n));
      case '1/12':
        return quarter(p.multiply(root(2n), root(3n), budget), root(2n));
      case '5/12':
        return quarter(p.multiply(root(2n), root(3n), budget), p.negate(root(2n), budget));
      default:
        return null;
    }
  })();
  return value && negative ? p.negate(value, budget) : value;
}

// Functions

function opaqueCall(
  name: string,
  args: readonly Form[],
  scope: Scope,
  meaning: (values: readonly z.Complex[]) => z.Complex,
): Form {
  const generator = `${name}⟨${args.map(showForm).join(', ')}⟩`;
  spend(scope.budget, 4 + (generator.length >> 5));
  scope.opaque = true;
  if (!scope.meanings.has(generator))
    scope.meanings.set(generator, at => meaning(args.map(arg => valueOfForm(arg, at, scope))));
  return polynomialForm(p.generator(generator));
}

export const showForm = (form: Form): string =>
  form.under === p.one || (p.valueOf(form.under)?.n === 1n && p.valueOf(form.under)?.d === 1n)
    ? p.show(form.over)
    : `(${p.show(form.over)})/(${p.show(form.under)})`;

/** The number that a form is, where it is rational. */
export function rationalOf(form: Form): Rational | null {
  const over = p.valueOf(form.over);
  const under = p.valueOf(form.under);
  return over === null || under === null || under.n === 0n ? null : q.divide(over, under);
}

function formOfCall(name: string, nodes: readonly Node[], scope: Scope): Form {
  const { budget } = scope;
  switch (name) {
    case 'sin':
    case 'cos':
    case 'tan':
    case 'cot':
    case 'sec':
    case 'csc':
      return trigonometric(name, nodes[0]!, scope);
    case 'log':
    case 'ln': {
      const top = logarithm(formOf(nodes[0]!, scope), scope);
      if (name === 'ln' || nodes.length < 2) return top;
      return divideForms(top, logarithm(formOf(nodes[1]!, scope), scope), scope);
    }
  }
  const args = nodes.map(node => formOf(node, scope));
  const numbers = args.map(rationalOf);
  const first = args[0]!;
  switch (name) {
    case 'sqrt':
      return rationalPower(first, half, scope);
    case 'root': {
      const degree = numbers[1];
      if (degree && degree.d === 1n && degree.n > 0n && degree.n < 1000n)
        return rationalPower(first, { n: 1n, d: degree.n }, scope);
      break;
    }
    case 'factorial':
      if (numbers[0]) {
        if (numbers[0].d === 1n && numbers[0].n >= 0n && numbers[0].n <= 3000n)
          return constantForm(q.whole(factorial(Number(numbers[0].n), 1, budget)));
        if (numbers[0].n > 170n) overBudget('bits');
      }
      break;
    case 'doubleFactorial':
      if (numbers[0]?.d === 1n && numbers[0].n >= 0n && numbers[0].n <= 3000n)
        return constantForm(q.whole(factorial(Number(numbers[0].n), 2, budget)));
      break;
    case 'binomial': {
      const [n, k] = numbers as (Rational | null)[];
      if (n && k && n.d === 1n && k.d === 1n && k.n >= 0n && k.n <= 1000n && n.n >= 0n) {
        let value = 1n;
        for (let i = 0n; i < k.n; i++) {
          spend(budget, 1 + (w.bitLength(value) >> 6));
          value = (value * (n.n - i)) / (i + 1n);
          if (w.bitLength(value) > budget.limits.bits) overBudget('bits');
        }
        return constantForm(q.whole(value));
      }
      if (k && k.d === 1n && k.n >= 0n && k.n <= 6n) {
        let value = whole(1);
        for (let i = 0; i < Number(k.n); i++)
          value = multiplyForms(
            value,
            multiplyForms(addForms(first, whole(-i), scope), constantForm({ n: 1n, d: BigInt(i + 1) }), scope),
            scope,
          );
        return value;
      }
      break;
    }
    case 'abs': {
      if (numbers[0]) return constantForm({ n: q.abs(numbers[0].n), d: numbers[0].d });
      const positive =
        first.under === p.one && first.over.size > 0
          ? leadingSign(first.over) < 0
            ? negateForm(first, scope)
            : first
          : first;
      const content = positive.under === p.one ? contentOf(positive.over, budget) : q.one;
      const inner =
        positive.under === p.one ? polynomialForm(p.scale(positive.over, q.divide(q.one, content), budget)) : positive;
      return multiplyForms(
        constantForm(content),
        opaqueCall('abs', [inner], scope, ([x]) => z.complex(z.size(x!))),
        scope,
      );
    }
    case 'floor':
      if (numbers[0]) return constantForm(q.whole(q.floor(numbers[0])));
      break;
    case 'ceil':
      if (numbers[0]) return constantForm(q.whole(-q.floor(q.negate(numbers[0]))));
      break;
    case 'mod': {
      const [a, b] = numbers as (Rational | null)[];
      if (a && b && b.n !== 0n) return constantForm(q.subtract(a, q.multiply(b, q.whole(q.floor(q.divide(a, b))))));
      break;
    }
    case 'max':
    case 'min':
      if (numbers.every(value => value !== null) && numbers.length > 0) {
        const sorted = (numbers as Rational[]).toSorted(q.compare);
        return constantForm(name === 'max' ? sorted.at(-1)! : sorted[0]!);
      }
      if (args.length === 1) return first;
      return opaqueCall(
        name,
        args.toSorted((a, b) => (showForm(a) < showForm(b) ? -1 : 1)),
        scope,
        values => extreme(name, values),
      );
    case 'gcd':
    case 'lcm':
      return divisor(name, args, scope);
    case 'det':
    case 'transpose':
    case 'norm':
    case 'trace':
      throw notAnExpression;
  }
  return opaqueCall(name, args, scope, values =>
    evaluate(
      { kind: 'call', name, args: values.map((_, i) => ({ kind: 'symbol', name: `?${i}` })) },
      Object.fromEntries(values.map((value, i) => [`?${i}`, value])),
      budget,
    ),
  );
}

const extreme = (name: string, values: readonly z.Complex[]): z.Complex =>
  values.some(({ im }) => im !== 0) ? z.nothing : z.complex(Math[name as 'max' | 'min'](...values.map(({ re }) => re)));

function factorial(n: number, step: 1 | 2, budget: Budget): bigint {
  spend(budget, n >> 1);
  const value = w.factorial(n, step);
  if (w.bitLength(value) > budget.limits.bits) overBudget('bits');
  return value;
}

const leadingSign = (poly: Polynomial): number => {
  const key = [...poly.keys()].reduce((a, b) => (a > b ? a : b));
  return poly.get(key)!.coefficient.n < 0n ? -1 : 1;
};

/** Greatest common divisor and least common multiple, of rationals and of what has common factors in sight. */
function divisor(name: 'gcd' | 'lcm', args: readonly Form[], scope: Scope): Form {
  const { budget } = scope;
  return args.slice(1).reduce((left, right) => {
    const [a, b] = [rationalOf(left), rationalOf(right)];
    if (a && b) {
      const common = { n: commonDivisor(a.n * b.d, b.n * a.d, budget), d: a.d * b.d };
      if (name === 'gcd') return constantForm(q.rational(common.n, common.d));
      if (common.n === 0n) return whole(0);
      const product = q.divide(q.multiply(a, b), q.rational(common.n, common.d));
      return constantForm({ n: q.abs(product.n), d: product.d });
    }
    if (left.under !== p.one || right.under !== p.one) throw notAnExpression;
    const integral = [left, right].every(({ over }) =>
      [...over.values()].every(({ coefficient }) => coefficient.d === 1n),
    );
    const shared =
      p.show(left.over) === p.show(right.over) ? left.over : commonFactor(left.over, right.over, integral, budget);
    if (name === 'gcd') return polynomialForm(shared);
    const product = divideForms(multiplyForms(left, right, scope), polynomialForm(shared), scope);
    if (integral) return product;
    const lead = p.single(product.over);
    return lead ? polynomialForm(p.scale(product.over, q.divide(q.one, lead.coefficient), budget)) : product;
  }, args[0]!);
}

function commonFactor(a: Polynomial, b: Polynomial, integral: boolean, budget: Budget): Polynomial {
  const contents = [a, b].map(poly => contentOf(poly, budget).n) as [bigint, bigint];
  const coefficient = integral ? q.whole(commonDivisor(...contents, budget)) : q.one;
  const least = new Map<string, Rational>();
  let fresh = true;
  for (const poly of [a, b]) {
    for (const { monomial } of poly.values()) {
      const here = new Map(monomial);
      if (fresh) for (const [name, e] of here) least.set(name, e);
      else
        for (const [name, e] of least) {
          const other = here.get(name);
          if (other === undefined) least.delete(name);
          else if (q.compare(other, e) < 0) least.set(name, other);
        }
      fresh = false;
    }
  }
  const monomial = [...least].sort(([x], [y]) => (x < y ? -1 : 1));
  return new Map([[p.keyOf(monomial), { coefficient, monomial }]]);
}

function trigonometric(name: string, node: Node, scope: Scope): Form {
  const inDegrees = some(node, ({ kind }) => kind === 'degree');
  const arg = formOf(inDegrees ? rewrite(node, n => (n.kind === 'degree' ? radians(n.arg) : n)) : node, scope);
  const { budget } = scope;
  // A rational multiple of π.
  const turn =
    arg.under === p.one &&
    (arg.over.size === 0 ? q.zero : arg.over.size === 1 ? (arg.over.get('π')?.coefficient ?? null) : null);
  if (turn) {
    const [cosine, sine] = [exactCosine(turn, scope), exactCosine(q.subtract(turn, half), scope)];
    if (cosine && sine) {
      const [c, s] = [polynomialForm(cosine), polynomialForm(sine)];
      switch (name) {
        case 'sin':
          return s;
        case 'cos':
          return c;
        case 'tan':
          return divideForms(s, c, scope);
        case 'cot':
          return divideForms(c, s, scope);
        case 'sec':
          return divideForms(whole(1), c, scope);
        default:
          return divideForms(whole(1), s, scope);
      }
    }
  }
  const sinOf = (): Form => opaqueCall('sin', [arg], scope, ([x]) => z.sin(x!));
  const cosOf = (): Form => opaqueCall('cos', [arg], scope, ([x]) => z.cos(x!));
  spend(budget, 2);
  switch (name) {
    case 'sin':
      return sinOf();
    case 'cos':
      return cosOf();
    case 'tan':
      return divideForms(sinOf(), cosOf(), scope);
    case 'cot':
      return divideForms(cosOf(), sinOf(), scope);
    case 'sec':
      return divideForms(whole(1), cosOf(), scope);
    default:
      return divideForms(whole(1), sinOf(), scope);
  }
}

export const radians = (degrees: Node): Node => ({
  kind: 'div',
  over: { kind: 'mul', args: [degrees, { kind: 'constant', name: 'pi' }] },
  under: numberNode(q.whole(180)),
});

/** The natural logarithm; of rationals as a sum of logarithms of primes, which are independent. */
function logarithm(arg: Form, scope: Scope): Form {
  const { budget } = scope;
  const value = rationalOf(arg);
  if (value && value.n > 0n) {
    let result: Form = whole(0);
    for (const [part, sign] of [
      [value.n, 1n],
      [value.d, -1n],
    ] as const) {
      if (part === 1n) continue;
      for (const [prime, e] of factors(part, scope)) {
        const generator = `ln⟨${prime}⟩`;
        if (!scope.meanings.has(generator)) scope.meanings.set(generator, () => z.complex(Math.log(Number(prime))));
        result = addForms(result, polynomialForm(p.scale(p.generator(generator), q.whole(e * sign), budget)), scope);
      }
    }
    return result;
  }
  const term = arg.under === p.one ? p.single(arg.over) : null;
  // ln(e^x) and ln(√2 · 3): numbers and powers of e come out.
  if (term && term.coefficient.n > 0n && term.monomial.every(([name]) => name === 'e' || name.startsWith('#'))) {
    let result = logarithm(constantForm(term.coefficient), scope);
    for (const [name, exponent] of term.monomial) {
      const inner = name === 'e' ? whole(1) : logarithm(constantForm(q.whole(BigInt(name.slice(1)))), scope);
      result = addForms(result, multiplyForms(constantForm(exponent), inner, scope), scope);
    }
    return result;
  }
  if (p.isZero(arg.over)) throw notAnExpression;
  return opaqueCall('ln', [arg], scope, ([x]) => z.ln(x!));
}

/** @throws Stop over budget; a mark for what is no expression, see `isNotAnExpression` */
export function formOf(node: Node, scope: Scope): Form {
  const { budget } = scope;
  spend(budget);
  switch (node.kind) {
    case 'number':
      return constantForm(node.value);
    case 'symbol':
      return polynomialForm(
        p.generator(node.name === 'i' ? p.imaginary : node.name === 'e' ? 'e' : safeName(node.name)),
      );
    case 'constant':
      if (node.name === 'infinity') throw notAnExpression;
      return polynomialForm(p.generator('π'));
    case 'add': {
      let sum = formOf(node.args[0]!, scope);
      for (const arg of node.args.slice(1)) sum = addForms(sum, formOf(arg, scope), scope);
      return sum;
    }
    case 'mul': {
      let product = formOf(node.args[0]!, scope);
      for (const arg of node.args.slice(1)) product = multiplyForms(product, formOf(arg, scope), scope);
      return product;
    }
    case 'div':
      return divideForms(formOf(node.over, scope), formOf(node.under, scope), scope);
    case 'neg':
      return negateForm(formOf(node.arg, scope), scope);
    case 'pow': {
      const exponent = formOf(node.exponent, scope);
      const value = rationalOf(exponent);
      const base = formOf(node.base, scope);
      if (value) return rationalPower(base, value, scope);
      return symbolicPower(base, exponent, scope);
    }
    case 'call':
      return formOfCall(node.name, node.args, scope);
    case 'apply':
      return opaqueCall(
        `${node.name}.`,
        node.args.map(arg => formOf(arg, scope)),
        scope,
        values => someFunction(node.name, values),
      );
    case 'percent':
      return multiplyForms(formOf(node.arg, scope), constantForm({ n: 1n, d: 100n }), scope);
    case 'degree':
      return formOf(radians(node.arg), scope);
    case 'based':
      return constantForm(q.whole(inBase(node.digits, node.base)));
    case 'big':
      return formOfBig(node, scope);
    case 'ratio':
      if (node.terms.length === 2 && !node.clock)
        return divideForms(formOf(node.terms[0]!, scope), formOf(node.terms[1]!, scope), scope);
      throw notAnExpression;
    default:
      throw notAnExpression;
  }
}

/** Names must not look like the text of a monomial. */
const safeName = (name: string): string => (/^[A-Za-z][\w]*$/.test(name) ? name : `‹${name}›`);

export function inBase(digits: string, base: number): bigint {
  let value = 0n;
  for (const digit of digits.toLowerCase()) {
    const d = parseInt(digit, 36);
    if (!(d < base)) throw notAnExpression;
    value = value * BigInt(base) + BigInt(d);
  }
  return value;
}

/** Some smooth function that depends on the name: enough to tell f(x) from f(y), g(x) and f(x) + 1. */
export function someFunction(name: string, values: readonly z.Complex[]): z.Complex {
  let seed = 7;
  for (let i = 0; i < name.length; i++) seed = (seed * 31 + name.charCodeAt(i)) % 9973;
  let sum = z.complex(1 + seed / 9973);
  values.forEach((value, i) => (sum = z.add(sum, z.multiply(value, z.complex(0.37 + 0.11 * i + seed / 19_946)))));
  return z.add(z.sin(sum), z.multiply(z.complex(0.25), z.cos(z.multiply(sum, z.complex(1.7)))));
}

function formOfBig(node: Extract<Node, { kind: 'big' }>, scope: Scope): Form {
  const { budget } = scope;
  if (node.op === 'derivative') {
    const order = node.to?.kind === 'number' ? Number(node.to.value.n) : 1;
    let body: Node = node.body;
    for (let i = 0; i < order; i++) body = differentiate(body, node.variable, budget);
    return formOf(body, scope);
  }
  if ((node.op === 'sum' || node.op === 'product') && node.variable !== '' && node.from && node.to) {
    const bounds = [node.from, node.to].map(bound => {
      try {
        return rationalOf(formOf(bound, scope));
      } catch (error) {
        if (isStop(error)) throw error;
        return null;
      }
    });
    const [from, to] = bounds as [Rational | null, Rational | null];
    if (from && to && from.d === 1n && to.d === 1n && to.n - from.n < 64n) {
      let result = whole(node.op === 'sum' ? 0 : 1);
      for (let k = from.n; k <= to.n; k++) {
        const term = formOf(substitute(node.body, node.variable, numberNode(q.whole(k))), scope);
        result = node.op === 'sum' ? addForms(result, term, scope) : multiplyForms(result, term, scope);
      }
      return result;
    }
  }
  // The same with its variable under a fixed name, so that the letter does not matter.
  const bound = node.variable === '' ? node.body : substitute(node.body, node.variable, { kind: 'symbol', name: '•' });
  const key = (part: Node): string => {
    try {
      return showForm(formOf(part, scope));
    } catch (error) {
      if (isStop(error)) throw error;
      return structure(part);
    }
  };
  const generator = `${node.op}⟨${[bound, ...(node.from ? [node.from] : []), ...(node.to ? [node.to] : [])].map(key).join('; ')}⟩`;
  scope.opaque = true;
  if (!scope.meanings.has(generator)) scope.meanings.set(generator, at => evaluate(node, at, budget));
  return polynomialForm(p.generator(generator));
}

/** A fixed text for a tree of any kind. */
export function structure(node: Node): string {
  return JSON.stringify(node, (key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : key === 'decimals' || key === 'digits' ? undefined : value,
  );
}

export const substitute = (node: Node, name: string, by: Node): Node =>
  rewrite(node, n => (n.kind === 'symbol' && n.name === name ? by : n));

// Numbers

function valueOfGenerator(name: string, at: Assignment, scope: Scope): z.Complex {
  if (name === p.imaginary) return z.complex(0, 1);
  if (name === 'π') return z.complex(Math.PI);
  if (name === 'e') return z.complex(Math.E);
  if (name.startsWith('#') || name.startsWith('↑')) return z.complex(Number(name.slice(1)));
  const meaning = scope.meanings.get(name);
  if (meaning) return meaning(at);
  return at[name.startsWith('‹') ? name.slice(1, -1) : name] ?? z.nothing;
}

/** A power of a generator; of negative numbers with odd roots the real one. */
function raised(value: z.Complex, exponent: Rational): z.Complex {
  if (exponent.d === 1n) return z.power(value, z.complex(Number(exponent.n)));
  const root = z.root(value, Number(exponent.d));
  return z.power(root, z.complex(Number(exponent.n)));
}

export interface Sum {
  readonly value: z.Complex;
  /** The sum of the sizes of the terms: what rounding errors are in proportion to. */
  readonly scale: number;
}

export function sumOfPolynomial(
  poly: Polynomial,
  at: Assignment,
  scope: Scope,
  known = new Map<string, z.Complex>(),
): Sum {
  let value = z.complex(0);
  let scale = 0;
  for (const { coefficient, monomial } of poly.values()) {
    spend(scope.budget, 2 + monomial.length);
    let term = z.complex(q.toNumber(coefficient));
    for (const [name, exponent] of monomial) {
      let base = known.get(name);
      if (base === undefined) known.set(name, (base = valueOfGenerator(name, at, scope)));
      term = z.multiply(term, raised(base, exponent));
    }
    value = z.add(value, term);
    scale += z.size(term);
  }
  return { value, scale };
}

const valueOfPolynomial = (poly: Polynomial, at: Assignment, scope: Scope): z.Complex =>
  sumOfPolynomial(poly, at, scope).value;

export function valueOfForm({ over, under }: Form, at: Assignment, scope: Scope): z.Complex {
  const top = valueOfPolynomial(over, at, scope);
  return under === p.one ? top : z.divide(top, valueOfPolynomial(under, at, scope));
}

// Differences

/**
 * The numerator of a - b, multiplied out as far as it can be: zero exactly where the two are equal, as far as generators
 * are independent.
 */
export function difference(a: Form, b: Form, scope: Scope): Polynomial {
  const { budget } = scope;
  const same = a.under === b.under || p.show(a.under) === p.show(b.under);
  const raw = same
    ? p.add(a.over, p.negate(b.over, budget), budget)
    : p.add(p.multiply(a.over, b.under, budget), p.negate(p.multiply(b.over, a.under, budget), budget), budget);
  return unfold(raw, scope);
}

/** Puts polynomials back for generators that stand for them, where their exponents are whole: (√(x+1))² is x + 1. */
function unfold(poly: Polynomial, scope: Scope): Polynomial {
  const { budget } = scope;
  let result = poly;
  for (let round = 0; round < 4 && scope.bases.size > 0; round++) {
    // No negative powers of them: multiplying by what is not 0 changes nothing about being 0.
    const least = new Map<string, bigint>();
    for (const { monomial } of result.values())
      for (const [name, e] of monomial)
        if (scope.bases.has(name) && e.n < 0n)
          least.set(name, least.has(name) && least.get(name)! < q.floor(e) ? least.get(name)! : q.floor(e));
    for (const [name, e] of least) result = p.multiply(result, p.generator(name, q.whole(-e)), budget);
    let changed = false;
    let sum: Polynomial = p.zero;
    for (const term of result.values()) {
      let part: Polynomial = p.constant(term.coefficient);
      for (const [name, e] of term.monomial) {
        const base = scope.bases.get(name);
        const wholePart = base ? q.floor(e) : 0n;
        if (base && wholePart > 0n && wholePart <= 12n && base.size ** Math.min(Number(wholePart), 5) <= 400) {
          changed = true;
          const rest = q.subtract(e, q.whole(wholePart));
          part = p.multiply(part, p.power(base, Number(wholePart), budget), budget);
          if (rest.n !== 0n) part = p.multiply(part, p.generator(name, rest), budget);
        } else part = p.multiply(part, generatorPower(name, e, budget), budget);
      }
      sum = p.add(sum, part, budget);
    }
    if (!changed && least.size === 0) return result;
    result = sum;
    if (!changed) return result;
  }
  return result;
}
