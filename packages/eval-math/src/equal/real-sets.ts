/** Sets of real numbers as sorted pieces: intervals and points, from any way that people write them. */

import type { Budget } from '../budget.js';
import * as q from '../exact/rational.js';
import { evaluate } from '../numeric/evaluate.js';
import { numberNode, some, type Node, type RelationName } from '../tree.js';
import { isNotAnExpression, substitute } from '../exact/form.js';

export interface End {
  readonly node: Node;
  readonly value: number;
  readonly closed: boolean;
}

export interface Piece {
  readonly low: End;
  readonly high: End;
}

/** Sorted, apart from each other. */
export type RealSet = readonly Piece[];

const infinity: Node = { kind: 'constant', name: 'infinity' };
const below: End = { node: { kind: 'neg', arg: infinity }, value: -Infinity, closed: false };
const above: End = { node: infinity, value: Infinity, closed: false };
const everything: RealSet = [{ low: below, high: above }];

/** A name for a value: a letter, f(x), |AB|, a word. */
export function isName(node: Node): boolean {
  switch (node.kind) {
    case 'symbol':
      return node.name !== 'e' && node.name !== 'i';
    case 'apply':
      return true;
    case 'call':
      return (node.name === 'abs' || node.name === 'norm' || node.name === 'det') && node.args.every(isName);
    case 'mul':
      // f^{-1}(x)
      if (
        node.args.length === 2 &&
        node.args[0]!.kind === 'pow' &&
        node.args[0]!.base.kind === 'symbol' &&
        /^[f-hF-H]$/.test(node.args[0]!.base.name)
      )
        return node.args[1]!.kind === 'symbol';
      // AB, area; not xy.
      return (
        node.args.every(arg => arg.kind === 'symbol') &&
        (node.args.every(arg => arg.kind === 'symbol' && /^[A-Z]/.test(arg.name)) || node.args.length > 3)
      );
    case 'tuple':
      return node.items.every(isName);
    case 'ratio':
      return node.terms.every(isName);
    case 'text':
      return true;
    case 'degree':
      return isName(node.arg);
    default:
      return false;
  }
}

/** The real value of a tree without symbols; null where it has none. */
export function realValue(node: Node, budget: Budget): number | null {
  if (some(node, n => n.kind === 'symbol' && n.name !== 'e')) return null;
  try {
    const found = evaluate(node, {}, budget);
    return Math.abs(found.im) <= 1e-12 * Math.max(1, Math.abs(found.re)) && !Number.isNaN(found.re) ? found.re : null;
  } catch (error) {
    if (isNotAnExpression(error)) return null;
    throw error;
  }
}

function endOf(node: Node, closed: boolean, budget: Budget): End | null {
  const value = realValue(node, budget);
  return value === null ? null : { node, value, closed: closed && Number.isFinite(value) };
}

const piece = (low: End, high: End): RealSet =>
  low.value < high.value || (low.value === high.value && low.closed && high.closed) ? [{ low, high }] : [];

/** Sorted and merged where they touch. */
function union(...sets: readonly RealSet[]): RealSet {
  const all = sets.flat().toSorted((a, b) => a.low.value - b.low.value || Number(b.low.closed) - Number(a.low.closed));
  const merged: Piece[] = [];
  for (const next of all) {
    const last = merged.at(-1);
    const touches =
      last &&
      (next.low.value < last.high.value ||
        (next.low.value === last.high.value && (next.low.closed || last.high.closed)));
    if (!touches) merged.push(next);
    else if (next.high.value > last.high.value || (next.high.value === last.high.value && next.high.closed))
      merged[merged.length - 1] = { low: last.low, high: next.high };
  }
  return merged;
}

const higher = (a: End, b: End): End => (a.value > b.value || (a.value === b.value && !a.closed) ? a : b);
const lower = (a: End, b: End): End => (a.value < b.value || (a.value === b.value && !a.closed) ? a : b);

const intersection = (a: RealSet, b: RealSet): RealSet =>
  union(a.flatMap(x => b.flatMap(y => piece(higher(x.low, y.low), lower(x.high, y.high)))));

function complement(set: RealSet): RealSet {
  let rest = everything;
  for (const { low, high } of set)
    rest = intersection(rest, [
      ...piece(below, { ...low, closed: !low.closed && Number.isFinite(low.value) }),
      ...piece({ ...high, closed: !high.closed && Number.isFinite(high.value) }, above),
    ]);
  return rest;
}

/** @returns null where it is no set of numbers between numbers */
export function realSetOf(node: Node, budget: Budget): RealSet | null {
  switch (node.kind) {
    case 'tuple': {
      if (node.items.length !== 2) return null;
      const low = endOf(node.items[0]!, node.open === '[', budget);
      const high = endOf(node.items[1]!, node.close === ']', budget);
      return low && high && low.value <= high.value ? piece(low, high) : null;
    }
    case 'set': {
      const points = node.items.map(item => endOf(item, true, budget));
      return points.every(point => point !== null && point.closed)
        ? union(...points.map(point => piece(point!, point!)))
        : null;
    }
    case 'namedSet':
      return node.name === 'R'
        ? everything
        : node.name === '∅'
          ? []
          : node.name === 'R+'
            ? piece({ node: numberNode(q.zero), value: 0, closed: false }, above)
            : null;
    case 'setOperation': {
      const sets = node.args.map(arg => realSetOf(arg, budget));
      if (sets.includes(null)) return null;
      const [first, ...rest] = sets as RealSet[];
      if (node.op === 'union') return union(first!, ...rest);
      return rest.reduce(
        (set, other) => intersection(set, node.op === 'difference' ? complement(other) : other),
        first!,
      );
    }
    case 'builder': {
      const { condition } = node;
      const items = condition.kind === 'list' ? condition.items.filter(item => !isDomain(item)) : [condition];
      const found = items.map(item => relationSet(item, budget));
      return found.length > 0 && found.every(set => set !== null)
        ? found.map(set => set!.set).reduce(intersection)
        : null;
    }
    case 'relation': {
      const found = relationSet(node, budget);
      return found ? found.set : null;
    }
    case 'list': {
      // "x < 1 or x > 3" is a union, "x > 1, x < 3" an intersection: the one that is not empty or everything.
      const items = node.items.filter(item => !isDomain(item));
      const found = items.map(item => (item.kind === 'relation' ? relationSet(item, budget) : null));
      if (found.length < 2 || found.includes(null) || new Set(found.map(one => one!.name)).size > 1) return null;
      const sets = found.map(one => one!.set);
      const both = sets.reduce(intersection);
      return both.length > 0 ? both : union(...sets);
    }
    default:
      return null;
  }
}

/** x ∈ R says nothing more about a real x. */
const isDomain = (node: Node): boolean =>
  node.kind === 'relation' &&
  node.ops.length === 1 &&
  node.ops[0] === '∈' &&
  node.terms[1]!.kind === 'namedSet' &&
  node.terms[1]!.name === 'R';

/** A chain of inequalities with one name between numbers: `1 < x ≤ 2`, `x ≠ 5`, `3 > x`, `2x + 1 > 3`. */
export function relationSet(node: Node, budget: Budget): { readonly name: string; readonly set: RealSet } | null {
  if (node.kind !== 'relation') return null;
  const { terms, ops } = node;
  if (ops.length === 1 && ops[0] === '∈' && isName(terms[0]!)) {
    const set = realSetOf(terms[1]!, budget);
    return set && { name: nameText(terms[0]!), set };
  }
  if (!ops.every(op => op === '<' || op === '≤' || op === '>' || op === '≥' || op === '≠')) return null;
  const middle = terms.findIndex(term => realValue(term, budget) === null);
  if (middle < 0 || terms.some((term, i) => i !== middle && realValue(term, budget) === null)) return null;
  const subject = linear(terms[middle]!, budget);
  if (subject === null) return null;
  let set: RealSet = everything;
  const limit = (term: Node, op: RelationName): void => {
    const end = subject.solve(term, op === '≤' || op === '≥');
    if (end === null) return;
    if (op === '≠') set = intersection(set, complement(piece({ ...end, closed: true }, { ...end, closed: true })));
    else if ((op === '<' || op === '≤') === subject.positive) set = intersection(set, piece(below, end));
    else set = intersection(set, piece(end, above));
  };
  // Terms after the name limit it as written, those before it the other way round; a chain holds step by step.
  for (let i = middle; i < ops.length; i++) limit(terms[i + 1]!, strongest(ops.slice(middle, i + 1)));
  for (let i = middle - 1; i >= 0; i--) limit(terms[i]!, turned[strongest(ops.slice(i, middle))]!);
  return { name: subject.name, set };
}

const turned: Readonly<Partial<Record<RelationName, RelationName>>> = {
  '<': '>',
  '≤': '≥',
  '>': '<',
  '≥': '≤',
  '≠': '≠',
};
const strongest = (ops: readonly RelationName[]): RelationName => ops.find(op => op === '<' || op === '>') ?? ops[0]!;
const nameText = (node: Node): string =>
  JSON.stringify(node, (_, value: unknown) => (typeof value === 'bigint' ? `${value}` : value));

interface Linear {
  readonly name: string;
  readonly positive: boolean;
  solve(value: Node, closed: boolean): End | null;
}

/** `a x + b` with numbers a, b; a name alone is 1 x + 0. */
function linear(node: Node, budget: Budget): Linear | null {
  if (isName(node))
    return { name: nameText(node), positive: true, solve: (value, closed) => endOf(value, closed, budget) };
  const names = new Set<string>();
  const other = some(node, n => {
    if (n.kind === 'symbol' && n.name !== 'e') names.add(n.name);
    return (
      n.kind !== 'symbol' &&
      n.kind !== 'number' &&
      n.kind !== 'add' &&
      n.kind !== 'mul' &&
      n.kind !== 'neg' &&
      n.kind !== 'div' &&
      n.kind !== 'constant' &&
      n.kind !== 'call' &&
      n.kind !== 'pow'
    );
  });
  if (other || names.size !== 1) return null;
  const [name] = [...names] as [string];
  const at = (x: number): number => {
    const value = evaluate(node, { [name]: { re: x, im: 0 } }, budget);
    return value.im === 0 ? value.re : NaN;
  };
  const [zero, one, two, far] = [at(0), at(1), at(2), at(-5.5)];
  const slope = one - zero;
  const scale = Math.abs(zero) + Math.abs(one) + 1;
  if (
    !(Math.abs(two - zero - 2 * slope) < 1e-9 * scale && Math.abs(far - zero + 5.5 * slope) < 1e-9 * scale) ||
    Math.abs(slope) < 1e-12
  )
    return null;
  return {
    name: nameText({ kind: 'symbol', name }),
    positive: slope > 0,
    solve: (value, closed) => {
      const number = realValue(value, budget);
      if (number === null) return null;
      const x = (number - zero) / slope;
      // The end as a tree: (value - b) / a, with a and b as the node gives them.
      const b: Node = put(node, name, 0);
      const a: Node = { kind: 'add', args: [put(node, name, 1), { kind: 'neg', arg: b }] };
      return {
        node: { kind: 'div', over: { kind: 'add', args: [value, { kind: 'neg', arg: b }] }, under: a },
        value: x,
        closed: closed && Number.isFinite(x),
      };
    },
  };
}

const put = (node: Node, name: string, value: number): Node => substitute(node, name, numberNode(q.whole(value)));

/** Whether one writes sets rather than points: what may be compared as a set of numbers. */
export const isSetLike = (node: Node): boolean =>
  node.kind === 'setOperation' ||
  node.kind === 'builder' ||
  node.kind === 'namedSet' ||
  (node.kind === 'relation' && node.ops.every(op => op !== '=' && op !== '≈')) ||
  (node.kind === 'list' &&
    node.items.length > 1 &&
    node.items.every(item => item.kind === 'relation' && item.ops.every(op => op !== '=' && op !== '≈')));
