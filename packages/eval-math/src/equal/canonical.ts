/** One text for all ways to write an answer, as far as normal forms reach: what votes are grouped by. */

import { stopOf, type Budget } from '../budget.js';
import { formOf, isNotAnExpression, openScope, showForm, structure } from '../exact/form.js';
import * as p from '../exact/polynomial.js';
import * as q from '../exact/rational.js';
import { meaningOf, type Reading } from '../read/reading.js';
import { some, type Node } from '../tree.js';
import { valueOfRelation, type Context } from './compare.js';
import { defaultCompareOptions } from './compare.js';
import { plainRational } from './expressions.js';
import { isName, isSetLike, realSetOf } from './real-sets.js';

/** Never throws; what has no normal form is given by its structure or its text. */
export function canonicalReading(reading: Reading, budget: Budget): string {
  if (reading.node === null) return reading.words !== null ? meaningOf(reading.words) : reading.text;
  try {
    return canonical(reading.node, budget);
  } catch (error) {
    if (!isNotAnExpression(error)) stopOf(error);
    return reading.text.replace(/\s+/g, '');
  }
}

function canonical(node: Node, budget: Budget): string {
  const each = (nodes: readonly Node[]): string[] => nodes.map(item => canonical(item, budget));
  switch (node.kind) {
    case 'number':
      return q.show(node.value);
    case 'text':
      return meaningOf(node.text.toLowerCase());
    case 'quantity':
    case 'degree':
      return canonical(node.arg, budget);
    case 'list':
    case 'set': {
      const set = isSetLike(node) ? realSetOf(node, budget) : null;
      if (set) return line(set, budget);
      const items = [...new Set(each(node.items))].sort();
      return items.length === 1 ? items[0]! : `{${items.join(', ')}}`;
    }
    case 'tuple':
      return `${node.open}${each(node.items).join(', ')}${node.close}`;
    case 'matrix':
      return node.rows[0]!.length === 1
        ? `(${each(node.rows.flat()).join(', ')})`
        : `[${node.rows.map(row => each(row).join(', ')).join('; ')}]`;
    case 'plusMinus':
      return [`{`, canonical(node.right, budget), `±`, node.left ? canonical(node.left, budget) : '', '}'].join('');
    case 'relation': {
      if (node.ops.length === 1 && node.ops[0] === '∈' && isName(node.terms[0]!))
        return canonical(node.terms[1]!, budget);
      const context: Context = { budget, options: defaultCompareOptions, rules: new Set() };
      const value = valueOfRelation(node, context);
      if (value) return canonical(value.value, budget);
      const set = isSetLike(node) ? realSetOf(node, budget) : null;
      if (set) return line(set, budget);
      if (node.ops.length === 1 && node.ops[0] === '=') {
        const form = formOf(
          { kind: 'add', args: [node.terms[0]!, { kind: 'neg', arg: node.terms[1]! }] },
          openScope(budget),
        );
        if (p.isZero(form.over)) return '0 = 0';
        const lead = [...form.over].reduce((a, b) => (a[0] > b[0] ? a : b));
        return `${p.show(p.scale(form.over, q.divide(q.one, lead[1].coefficient), budget))} = 0`;
      }
      return each(node.terms)
        .map((term, i) => (i === 0 ? term : `${node.ops[i - 1]} ${term}`))
        .join(' ');
    }
    case 'setOperation':
    case 'builder':
    case 'namedSet': {
      const set = realSetOf(node, budget);
      if (set) return line(set, budget);
      return node.kind === 'setOperation' ? each(node.args).sort().join(` ${node.op} `) : structure(node);
    }
    default: {
      const plain = plainRational(node);
      if (plain) return q.show(plain);
      if (some(node, n => n.kind === 'plusMinus')) return structure(node);
      try {
        return showForm(formOf(node, openScope(budget)));
      } catch (error) {
        if (isNotAnExpression(error)) return structure(node);
        throw error;
      }
    }
  }
}

const line = (set: NonNullable<ReturnType<typeof realSetOf>>, budget: Budget): string =>
  set.length === 0
    ? '∅'
    : set
        .map(({ low, high }) => {
          if (low.value === high.value) return `{${canonical(low.node, budget)}}`;
          return `${low.closed ? '[' : '('}${end(low, budget)}, ${end(high, budget)}${high.closed ? ']' : ')'}`;
        })
        .join(' ∪ ');

const end = ({ node, value }: { readonly node: Node; readonly value: number }, budget: Budget): string =>
  value === Infinity ? '∞' : value === -Infinity ? '-∞' : canonical(node, budget);
