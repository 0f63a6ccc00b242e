/** Derivatives of trees, by the rules of school; what has none stays undefined. */

import { spend, unparsed, type Budget } from '../budget.js';
import { whole, zero } from '../exact/rational.js';
import { call, numberNode, some, type Node } from '../tree.js';

const number = (n: number): Node => numberNode(whole(n));
const product = (...args: readonly Node[]): Node => ({ kind: 'mul', args });
const sum = (...args: readonly Node[]): Node => ({ kind: 'add', args });
const quotient = (over: Node, under: Node): Node => ({ kind: 'div', over, under });
const power = (base: Node, exponent: Node): Node => ({ kind: 'pow', base, exponent });
const minus = (arg: Node): Node => ({ kind: 'neg', arg });
const square = (x: Node): Node => power(x, number(2));

/** d f(u) / du, by function. */
const outer: Readonly<Record<string, (u: Node) => Node>> = {
  sin: u => call('cos', u),
  cos: u => minus(call('sin', u)),
  tan: u => quotient(number(1), square(call('cos', u))),
  cot: u => minus(quotient(number(1), square(call('sin', u)))),
  sec: u => product(call('sec', u), call('tan', u)),
  csc: u => minus(product(call('csc', u), call('cot', u))),
  arcsin: u => quotient(number(1), call('sqrt', sum(number(1), minus(square(u))))),
  arccos: u => minus(quotient(number(1), call('sqrt', sum(number(1), minus(square(u)))))),
  arctan: u => quotient(number(1), sum(number(1), square(u))),
  sinh: u => call('cosh', u),
  cosh: u => call('sinh', u),
  tanh: u => quotient(number(1), square(call('cosh', u))),
  ln: u => quotient(number(1), u),
  sqrt: u => quotient(number(1), product(number(2), call('sqrt', u))),
  abs: u => quotient(u, call('abs', u)),
};

/** @throws Stop where there is no rule */
export function differentiate(node: Node, variable: string, budget: Budget): Node {
  spend(budget);
  if (!some(node, n => n.kind === 'symbol' && n.name === variable)) return numberNode(zero);
  const d = (n: Node): Node => differentiate(n, variable, budget);
  switch (node.kind) {
    case 'symbol':
      return number(node.name === variable ? 1 : 0);
    case 'add':
      return sum(...node.args.map(d));
    case 'neg':
      return minus(d(node.arg));
    case 'mul':
      return sum(...node.args.map((arg, i) => product(...node.args.map((other, j) => (i === j ? d(arg) : other)))));
    case 'div':
      return quotient(
        sum(product(d(node.over), node.under), minus(product(node.over, d(node.under)))),
        square(node.under),
      );
    case 'pow': {
      const inExponent = some(node.exponent, n => n.kind === 'symbol' && n.name === variable);
      if (!inExponent) return product(node.exponent, power(node.base, sum(node.exponent, number(-1))), d(node.base));
      const log = node.base.kind === 'symbol' && node.base.name === 'e' ? number(1) : call('ln', node.base);
      return product(
        node,
        sum(product(d(node.exponent), log), product(node.exponent, quotient(d(node.base), node.base))),
      );
    }
    case 'call': {
      const [u, base] = node.args as [Node, Node?];
      if (node.name === 'log' && base) return d(quotient(call('ln', u), call('ln', base)));
      if (node.name === 'root' && base) return d(power(u, quotient(number(1), base)));
      const rule = outer[node.name];
      return rule ? product(rule(u), d(u)) : unparsed(`a derivative of ${node.name}`, -1);
    }
    case 'apply':
      return node.args.length === 1
        ? product({ ...node, name: `${node.name}'` }, d(node.args[0]!))
        : unparsed('one argument', -1);
    default:
      return unparsed(`a derivative of a ${node.kind}`, -1);
  }
}
