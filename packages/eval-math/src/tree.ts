/** What an answer is once it is read: plain data, so that it can be printed, sent to another thread and compared. */

import type { Rational } from './exact/rational.js';

export type Node =
  | NumberNode
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'constant'; readonly name: 'pi' | 'infinity' }
  | { readonly kind: 'add'; readonly args: readonly Node[] }
  | { readonly kind: 'mul'; readonly args: readonly Node[] }
  | { readonly kind: 'div'; readonly over: Node; readonly under: Node }
  | { readonly kind: 'neg'; readonly arg: Node }
  | { readonly kind: 'pow'; readonly base: Node; readonly exponent: Node }
  /** A function with a meaning: `sqrt`, `sin`, `log` (argument, base), `gcd`, `mod` … */
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Node[] }
  /** A function without one: `f(x)`. */
  | { readonly kind: 'apply'; readonly name: string; readonly args: readonly Node[] }
  /** `left ± right`; `sign` is -1 for ∓. */
  | { readonly kind: 'plusMinus'; readonly left: Node | null; readonly right: Node; readonly sign: 1 | -1 }
  | BigNode
  | { readonly kind: 'percent'; readonly arg: Node }
  | { readonly kind: 'degree'; readonly arg: Node }
  | { readonly kind: 'quantity'; readonly arg: Node; readonly unit: string }
  /** `(a, b)`, `[a, b)`, `⟨a, b⟩`: a tuple, a point, a vector or an interval. */
  | { readonly kind: 'tuple'; readonly open: '(' | '['; readonly close: ')' | ']'; readonly items: readonly Node[] }
  | { readonly kind: 'set'; readonly items: readonly Node[] }
  /** `a, b and c`; lists in a list where semicolons stand between commas. */
  | { readonly kind: 'list'; readonly items: readonly Node[] }
  | { readonly kind: 'builder'; readonly element: Node; readonly condition: Node }
  | {
      readonly kind: 'setOperation';
      readonly op: 'union' | 'intersection' | 'difference';
      readonly args: readonly Node[];
    }
  /** `a < b <= c`: one operator fewer than terms. */
  | { readonly kind: 'relation'; readonly terms: readonly Node[]; readonly ops: readonly RelationName[] }
  | { readonly kind: 'matrix'; readonly rows: readonly (readonly Node[])[] }
  | { readonly kind: 'piecewise'; readonly cases: readonly { readonly value: Node; readonly when: Node | null }[] }
  /** `3 : 4 : 5`; a clock where minutes are written with two digits, `12:05`. */
  | { readonly kind: 'ratio'; readonly terms: readonly Node[]; readonly clock: boolean }
  /** Digits in another base: `2516_8`. */
  | { readonly kind: 'based'; readonly digits: string; readonly base: number }
  /** A set with a name: N, Z, Q, R, C; and the empty one. */
  | { readonly kind: 'namedSet'; readonly name: string }
  | { readonly kind: 'text'; readonly text: string };

export interface NumberNode {
  readonly kind: 'number';
  readonly value: Rational;
  /** Digits written after the point: such a number may be a rounded one. null for integers and repeating decimals. */
  readonly decimals: number | null;
  /** Significant digits as written. */
  readonly digits: number;
}

export interface BigNode {
  readonly kind: 'big';
  readonly op: 'sum' | 'product' | 'integral' | 'limit' | 'derivative';
  readonly variable: string;
  readonly body: Node;
  /** Lower bound, or where a limit goes. */
  readonly from: Node | null;
  /** Upper bound; for a derivative its order, for a limit from one side 1 or -1. */
  readonly to: Node | null;
}

export type RelationName =
  | '='
  | '≠'
  | '<'
  | '≤'
  | '>'
  | '≥'
  | '∈'
  | '∉'
  | '⊂'
  | '⊆'
  | '⊃'
  | '⊇'
  | '≈'
  | '≡'
  | '∼'
  | '→'
  | '⊥'
  | '∥';

export const numberNode = (value: Rational): NumberNode => ({ kind: 'number', value, decimals: null, digits: 0 });
export const symbol = (name: string): Node => ({ kind: 'symbol', name });
export const call = (name: string, ...args: readonly Node[]): Node => ({ kind: 'call', name, args });

/** The nodes right below. */
export function childrenOf(node: Node): readonly Node[] {
  switch (node.kind) {
    case 'add':
    case 'mul':
    case 'call':
    case 'apply':
    case 'setOperation':
      return node.args;
    case 'div':
      return [node.over, node.under];
    case 'neg':
    case 'percent':
    case 'degree':
    case 'quantity':
      return [node.arg];
    case 'pow':
      return [node.base, node.exponent];
    case 'plusMinus':
      return node.left === null ? [node.right] : [node.left, node.right];
    case 'big':
      return [node.body, ...(node.from ? [node.from] : []), ...(node.to ? [node.to] : [])];
    case 'tuple':
    case 'set':
    case 'list':
      return node.items;
    case 'builder':
      return [node.element, node.condition];
    case 'relation':
    case 'ratio':
      return node.terms;
    case 'matrix':
      return node.rows.flat();
    case 'piecewise':
      return node.cases.flatMap(({ value, when }) => (when ? [value, when] : [value]));
    default:
      return [];
  }
}

/** The same node over other children, in the order of `childrenOf`. */
function withChildren(node: Node, children: readonly Node[]): Node {
  switch (node.kind) {
    case 'add':
    case 'mul':
    case 'call':
    case 'apply':
    case 'setOperation':
      return { ...node, args: children };
    case 'div':
      return { ...node, over: children[0]!, under: children[1]! };
    case 'neg':
    case 'percent':
    case 'degree':
    case 'quantity':
      return { ...node, arg: children[0]! };
    case 'pow':
      return { ...node, base: children[0]!, exponent: children[1]! };
    case 'plusMinus':
      return node.left === null
        ? { ...node, right: children[0]! }
        : { ...node, left: children[0]!, right: children[1]! };
    case 'big': {
      const from = node.from ? children[1]! : null;
      return { ...node, body: children[0]!, from, to: node.to ? children[node.from ? 2 : 1]! : null };
    }
    case 'tuple':
    case 'set':
    case 'list':
      return { ...node, items: children };
    case 'builder':
      return { ...node, element: children[0]!, condition: children[1]! };
    case 'relation':
    case 'ratio':
      return { ...node, terms: children };
    case 'matrix': {
      let at = 0;
      return { ...node, rows: node.rows.map(row => row.map(() => children[at++]!)) };
    }
    case 'piecewise': {
      let at = 0;
      return {
        ...node,
        cases: node.cases.map(({ when }) => ({ value: children[at++]!, when: when && children[at++]! })),
      };
    }
    default:
      return node;
  }
}

/** Whether some node below, or this one, is as asked. The depth is that of the input, which the reader limits. */
export function some(node: Node, test: (node: Node) => boolean): boolean {
  if (test(node)) return true;
  switch (node.kind) {
    case 'number':
    case 'symbol':
    case 'constant':
    case 'text':
      return false;
    case 'neg':
      return some(node.arg, test);
    case 'div':
      return some(node.over, test) || some(node.under, test);
    default:
      for (const child of childrenOf(node)) if (some(child, test)) return true;
      return false;
  }
}

/** Replaces nodes from the leaves up. */
export function rewrite(node: Node, change: (node: Node) => Node): Node {
  const children = childrenOf(node);
  const changed = children.map(child => rewrite(child, change));
  return change(changed.every((child, i) => child === children[i]) ? node : withChildren(node, changed));
}
