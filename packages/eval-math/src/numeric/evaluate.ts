/** The value of a tree at given values of its symbols, in complex doubles. */

import { isStop, spend, type Budget } from '../budget.js';
import {
  formOf,
  inBase,
  isNotAnExpression,
  openScope,
  radians,
  rationalOf,
  someFunction,
  valueOfForm,
} from '../exact/form.js';
import { toNumber } from '../exact/rational.js';
import { rewrite, some, type Node } from '../tree.js';
import { differentiate } from './differentiate.js';
import * as z from './complex.js';
import { complex, type Complex } from './complex.js';

export type Assignment = Readonly<Record<string, Complex>>;

const unary: Readonly<Record<string, (x: Complex) => Complex>> = {
  sqrt: z.sqrt,
  ln: z.ln,
  sin: z.sin,
  cos: z.cos,
  tan: z.tan,
  cot: x => z.divide(z.cos(x), z.sin(x)),
  sec: x => z.divide(complex(1), z.cos(x)),
  csc: x => z.divide(complex(1), z.sin(x)),
  arcsin: z.arcsin,
  arccos: z.arccos,
  arctan: z.arctan,
  arccot: x => z.arctan(z.divide(complex(1), x)),
  arcsec: x => z.arccos(z.divide(complex(1), x)),
  arccsc: x => z.arcsin(z.divide(complex(1), x)),
  sinh: z.sinh,
  cosh: z.cosh,
  tanh: z.tanh,
  coth: x => z.divide(complex(1), z.tanh(x)),
  sech: x => z.divide(complex(1), z.cosh(x)),
  csch: x => z.divide(complex(1), z.sinh(x)),
  arcsinh: z.arcsinh,
  arccosh: z.arccosh,
  arctanh: z.arctanh,
  abs: x => complex(z.size(x)),
  norm: x => complex(z.size(x)),
  sign: x => (x.im === 0 ? complex(Math.sign(x.re)) : z.nothing),
  floor: x => (x.im === 0 ? complex(Math.floor(x.re)) : z.nothing),
  ceil: x => (x.im === 0 ? complex(Math.ceil(x.re)) : z.nothing),
  round: x => (x.im === 0 ? complex(Math.round(x.re)) : z.nothing),
  Re: x => complex(x.re),
  Im: x => complex(x.im),
  conjugate: x => complex(x.re, 0 - x.im),
  arg: x => complex(Math.atan2(x.im, x.re)),
  factorial: x => z.gamma(z.add(x, complex(1))),
  gamma: z.gamma,
};

/** @throws Stop over budget; a value that does not exist is NaN */
export function evaluate(node: Node, at: Assignment, budget: Budget): Complex {
  spend(budget);
  const value = (n: Node): Complex => evaluate(n, at, budget);
  switch (node.kind) {
    case 'number':
      return complex(toNumber(node.value));
    case 'symbol': {
      const given = at[node.name];
      if (given !== undefined) return given;
      if (node.name === 'e') return complex(Math.E);
      return node.name === 'i' || node.name === 'I' ? complex(0, 1) : z.nothing;
    }
    case 'constant':
      return complex(node.name === 'pi' ? Math.PI : Infinity);
    case 'add':
      return node.args.map(value).reduce(z.add);
    case 'mul':
      return node.args.map(value).reduce(z.multiply);
    case 'div':
      return z.divide(value(node.over), value(node.under));
    case 'neg':
      return z.negate(value(node.arg));
    case 'pow': {
      const base = value(node.base);
      const { exponent } = node;
      // x^(1/3) of a negative number is the real root, as with a radical.
      if (exponent.kind === 'div' && base.im === 0 && base.re < 0) {
        const [n, d] = [value(exponent.over), value(exponent.under)];
        if (Number.isInteger(n.re) && Number.isInteger(d.re) && d.re % 2 !== 0) return z.power(z.root(base, d.re), n);
      }
      return z.power(base, value(exponent));
    }
    case 'percent':
      return z.divide(value(node.arg), complex(100));
    case 'degree':
      return value(radians(node.arg));
    case 'quantity':
      return value(node.arg);
    case 'based':
      return complex(Number(inBase(node.digits, node.base)));
    case 'apply':
      return someFunction(node.name, node.args.map(value));
    case 'ratio':
      return node.terms.length === 2 ? z.divide(value(node.terms[0]!), value(node.terms[1]!)) : z.nothing;
    case 'call':
      return evaluateCall(node.name, node.args, at, budget);
    case 'big':
      return evaluateBig(node, at, budget);
    case 'piecewise':
      return z.nothing;
    case 'tuple':
    case 'set':
    case 'list':
      return node.items.length === 1 ? value(node.items[0]!) : z.nothing;
    default:
      return z.nothing;
  }
}

function evaluateCall(name: string, nodes: readonly Node[], at: Assignment, budget: Budget): Complex {
  const exact = (): Complex => {
    spend(budget, 400);
    const scope = openScope(budget);
    try {
      return valueOfForm(formOf({ kind: 'call', name, args: nodes }, scope), at, scope);
    } catch (error) {
      if (isNotAnExpression(error)) return z.nothing;
      throw error;
    }
  };
  if (name === 'gcd' || name === 'lcm' || name === 'mod') {
    // Exact where the numbers are: 128E300 mod 3 has no answer in doubles.
    if (name !== 'mod') return exact();
    const scope = openScope(budget);
    spend(budget, 50);
    try {
      const found = rationalOf(formOf({ kind: 'call', name, args: nodes }, scope));
      if (found) return complex(toNumber(found));
    } catch (error) {
      if (!isNotAnExpression(error) && !isStop(error)) throw error;
    }
  }
  const isDegree = some(nodes[0]!, ({ kind }) => kind === 'degree');
  const args = nodes.map(node =>
    evaluate(isDegree ? rewrite(node, n => (n.kind === 'degree' ? radians(n.arg) : n)) : node, at, budget),
  );
  const [x, y] = args as [Complex, Complex?];
  const one = unary[name];
  if (one && args.length === 1) return one(x);
  switch (name) {
    case 'log':
      return y ? z.divide(z.ln(x), z.ln(y)) : z.ln(x);
    case 'root':
      return y && y.im === 0 ? z.root(x, y.re) : z.nothing;
    case 'mod':
      return y && x.im === 0 && y.im === 0 && y.re !== 0 ? complex(x.re - y.re * Math.floor(x.re / y.re)) : z.nothing;
    case 'binomial': {
      if (!y) return z.nothing;
      const g = (a: Complex): Complex => z.gamma(z.add(a, complex(1)));
      return z.divide(g(x), z.multiply(g(y), g(z.subtract(x, y))));
    }
    case 'max':
    case 'min':
      return args.some(({ im }) => im !== 0) ? z.nothing : complex(Math[name](...args.map(({ re }) => re)));
    case 'doubleFactorial': {
      let product = 1;
      for (let k = x.re; k > 1 && k < 400; k -= 2) product *= k;
      return complex(product);
    }
    default:
      return z.nothing;
  }
}

const mostTerms = 400;

function evaluateBig(node: Extract<Node, { kind: 'big' }>, at: Assignment, budget: Budget): Complex {
  const { op, variable, body, from, to } = node;
  const point = (x: Complex): Complex => {
    spend(budget, 10);
    return evaluate(body, { ...at, [variable]: x }, budget);
  };
  if (op === 'derivative') {
    let derived = body;
    const order = to?.kind === 'number' ? Number(to.value.n) : 1;
    for (let i = 0; i < order; i++) derived = differentiate(derived, variable, budget);
    return evaluate(derived, at, budget);
  }
  if (op === 'limit')
    return limitOf(
      point,
      from ? evaluate(from, at, budget) : z.nothing,
      to?.kind === 'number' ? Number(to.value.n) : 0,
    );
  if (variable === '' || from === null || to === null) return z.nothing;
  const [low, high] = [evaluate(from, at, budget), evaluate(to, at, budget)];
  if (low.im !== 0 || high.im !== 0 || !Number.isFinite(low.re)) return z.nothing;
  if (op === 'integral') return integrate(point, low.re, high.re);
  const steps = high.re - low.re + 1;
  const combine = op === 'sum' ? z.add : z.multiply;
  let total = complex(op === 'sum' ? 0 : 1);
  if (steps === Infinity) {
    for (let k = 0; k < mostTerms; k++) {
      const term = point(complex(low.re + k));
      const next = combine(total, term);
      if (k > 8 && z.size(op === 'sum' ? term : z.subtract(term, complex(1))) <= 1e-17 * Math.max(1, z.size(total)))
        return next;
      total = next;
    }
    return z.nothing;
  }
  if (Number.isInteger(steps)) {
    if (steps > mostTerms) return z.nothing;
    for (let k = 0; k < steps; k++) total = combine(total, point(complex(low.re + k)));
    return total;
  }
  // Bounds that are no whole steps apart: where the terms are a polynomial of the index, so is the sum of them.
  if (op === 'product')
    return some(body, n => n.kind === 'symbol' && n.name === variable)
      ? z.nothing
      : z.power(point(low), complex(steps));
  return interpolatedSum(point, low.re, steps);
}

/** Newton's formula over the first sums; the terms must be a polynomial of degree at most 5. */
function interpolatedSum(point: (x: Complex) => Complex, low: number, steps: number): Complex {
  const count = 8;
  let sum = complex(0);
  let differences: Complex[] = [sum];
  for (let k = 0; k < count; k++) differences.push((sum = z.add(sum, point(complex(low + k)))));
  const scale = Math.max(...differences.map(z.size), 1e-300);
  let result = complex(0);
  let weight = 1;
  for (let k = 0; differences.length > 1; k++) {
    result = z.add(result, z.multiply(differences[0]!, complex(weight)));
    weight *= (steps - k) / (k + 1);
    differences = differences.slice(1).map((value, i) => z.subtract(value, differences[i]!));
  }
  return z.size(differences[0]!) <= 1e-9 * scale ? result : z.nothing;
}

/** Gauss-Legendre on pieces of an interval, infinite ends mapped to 1. Smooth integrands only: 1e-10 or NaN. */
function integrate(point: (x: Complex) => Complex, low: number, high: number): Complex {
  const f = (t: number): Complex => {
    if (Number.isFinite(low) && Number.isFinite(high)) return point(complex(t));
    const x = low + t / (1 - t);
    return z.multiply(point(complex(x)), complex(1 / (1 - t) ** 2));
  };
  const [a, b] = Number.isFinite(high) ? [low, high] : [0, 1];
  const rule = (pieces: number): Complex => {
    let total = complex(0);
    const width = (b - a) / pieces;
    for (let i = 0; i < pieces; i++) {
      for (const [x, w] of gauss)
        total = z.add(total, z.multiply(f(a + width * (i + 0.5 + 0.5 * x)), complex((w * width) / 2)));
    }
    return total;
  };
  const [coarse, fine] = [rule(4), rule(9)];
  return z.size(z.subtract(coarse, fine)) <= 1e-9 * Math.max(1, z.size(fine)) ? fine : z.nothing;
}

const gauss: readonly (readonly [x: number, weight: number])[] = [
  [-0.906179845938664, 0.2369268850561891],
  [-0.5384693101056831, 0.4786286704993665],
  [0, 0.5688888888888889],
  [0.5384693101056831, 0.4786286704993665],
  [0.906179845938664, 0.2369268850561891],
];

/** From points ever closer, by Richardson's extrapolation; NaN where two sides or two orders disagree. */
function limitOf(point: (x: Complex) => Complex, target: Complex, side: number): Complex {
  if (z.isNothing(target) || target.im !== 0) return z.nothing;
  const along = (sign: number): Complex => {
    const at = (h: number): Complex =>
      point(complex(target.re === Infinity ? 1 / h : target.re === -Infinity ? -1 / h : target.re + sign * h));
    const h = 1e-3;
    const [a, b, c] = [at(h), at(h / 2), at(h / 4)];
    const two = z.subtract(z.multiply(complex(2), b), a);
    const three = z.subtract(z.multiply(complex(2), c), b);
    const best = z.divide(z.subtract(z.multiply(complex(4), three), two), complex(3));
    return z.size(z.subtract(best, c)) <= 0.01 * Math.max(1, z.size(best)) ? best : z.nothing;
  };
  if (side !== 0 || !Number.isFinite(target.re)) return along(side || 1);
  const [left, right] = [along(-1), along(1)];
  return z.size(z.subtract(left, right)) <= 1e-6 * Math.max(1, z.size(right)) ? right : z.nothing;
}
