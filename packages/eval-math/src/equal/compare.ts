/**
 * Whether two readings are the same answer. Each way to agree is a rule with an id; the verdict lists those that were
 * needed. Every rule is symmetric but `setRelation: 'gold'`, which says so.
 */

import { overBudget, spend, type Budget } from '../budget.js';
import { structure } from '../exact/form.js';
import * as q from '../exact/rational.js';
import { unitOf } from '../read/units.js';
import { meaningOf, wordsOf, type Reading } from '../read/reading.js';
import { childrenOf, rewrite, some, type Node } from '../tree.js';
import { equalExpressions, proportional, type Answer } from './expressions.js';
import { isName, isSetLike, realSetOf, realValue, relationSet, type RealSet } from './real-sets.js';

/** What two answers may differ in and still be the same. */
export interface CompareOptions {
  /** `strict`: sets, orders and every part count. `lenient`: also a value without its percent sign, and parts in any brackets. */
  readonly strictness: 'strict' | 'lenient';
  /** `unordered`: 1, 2 is 2, 1; `ordered`: it is not. Sets never have an order, tuples always. */
  readonly lists: 'unordered' | 'ordered';
  /** Digits behind the point from which a decimal may stand for a value that it was rounded from. */
  readonly places: number;
  /** Whether an inequality may answer for the interval it describes: both ways, or only an interval for an inequality. */
  readonly setRelation: 'both' | 'gold';
  /** Whether names count: f(x) and f(y). */
  readonly names: 'count' | 'ignored';
}

export const defaultCompareOptions: CompareOptions = {
  strictness: 'strict',
  lists: 'unordered',
  places: 6,
  setRelation: 'both',
  names: 'count',
};

/** Rules that changed how the two were compared, in the order in which they were used. */
export type RuleId =
  | 'same-text'
  | 'normal-form'
  | 'numeric'
  | 'rounded-decimal'
  | 'words'
  | 'words-meaning'
  | 'assignment'
  | 'chain-value'
  | 'approximate-value'
  | 'equation-multiple'
  | 'inequality-multiple'
  | 'inequality-interval'
  | 'set-union'
  | 'membership'
  | 'unordered-list'
  | 'list-as-set'
  | 'set-elements'
  | 'tuple-elements'
  | 'bare-tuple'
  | 'vector-notation'
  | 'matrix-elements'
  | 'plus-minus'
  | 'unit-left-out'
  | 'unit-converted'
  | 'unit-differs'
  | 'percent-left-out'
  | 'base-left-out'
  | 'degree-left-out'
  | 'degree-radian'
  | 'ratio-multiple'
  | 'piecewise-cases'
  | 'structure'
  | 'name-differs'
  | 'length-differs'
  | 'kind-differs'
  | 'brackets-differ'
  | 'deep-equality'
  | 'renamed'
  | 'clock';

export interface Context {
  readonly budget: Budget;
  readonly options: CompareOptions;
  readonly rules: Set<RuleId>;
}

const no = (context: Context, rule: RuleId): false => {
  context.rules.add(rule);
  return false;
};
const yes = (context: Context, rule: RuleId): true => {
  context.rules.add(rule);
  return true;
};

/** All must hold: false as soon as one does not, null where one cannot be told. */
function all(answers: Iterable<Answer>): Answer {
  let result: Answer = true;
  for (const answer of answers) {
    if (answer === false) return false;
    if (answer === null) result = null;
  }
  return result;
}

/** @returns null where it cannot be told */
export function sameReading(gold: Reading, answer: Reading, context: Context): Answer {
  if (squeezed(gold.text) === squeezed(answer.text)) return yes(context, 'same-text');
  if (gold.words !== null && answer.words !== null) {
    if (gold.words === answer.words) return yes(context, 'words');
    if (meaningOf(gold.words) === meaningOf(answer.words)) return yes(context, 'words-meaning');
    // Long ones are words, not products of letters.
    if (gold.words.length > 4 || answer.words.length > 4 || gold.words.includes(' ') || answer.words.includes(' '))
      return no(context, 'words');
  }
  if (gold.node === null || answer.node === null) {
    if (gold.words !== null && answer.words !== null) return no(context, 'words');
    return gold.words !== null || answer.words !== null ? no(context, 'kind-differs') : null;
  }
  return same(gold.node, answer.node, context);
}

/** A text without what only places it. */
export const squeezed = (text: string): string =>
  text.replace(/\\[dt]frac/g, '\\frac').replace(/\\(?:left|right|[,;:! ])(?![a-zA-Z])|\s+/g, '');

function same(gold: Node, answer: Node, context: Context): Answer {
  const { budget, options } = context;
  spend(budget, 2);
  if (gold === answer) return true;
  const [a, b] = [lifted(gold), lifted(answer)];

  // Membership: x ∈ S is S.
  const [setA, setB] = [memberOf(a), memberOf(b)];
  if (setA !== null || setB !== null) {
    context.rules.add('membership');
    return same(setA ?? a, setB ?? b, context);
  }
  if (a.kind === 'text' || b.kind === 'text') return sameText(a, b, context);
  if (a.kind === 'quantity' || b.kind === 'quantity') return sameQuantity(a, b, context);
  if ((a.kind === 'degree') !== (b.kind === 'degree')) return sameDegree(a, b, context);

  if (a.kind === 'relation' && b.kind === 'relation') return sameRelations(a, b, context);
  if (a.kind === 'relation' || b.kind === 'relation') {
    const [relation, other] = a.kind === 'relation' ? [a, b] : [b as Extract<Node, { kind: 'relation' }>, a];
    const value = valueOfRelation(relation, context);
    if (value) return a.kind === 'relation' ? same(value.value, other, context) : same(other, value.value, context);
    if (options.setRelation === 'gold' && b.kind === 'relation') return no(context, 'kind-differs');
    return sameSets(a, b, context) ?? no(context, 'kind-differs');
  }
  if (some(a, isPlusMinus) || some(b, isPlusMinus)) {
    context.rules.add('plus-minus');
    return same(bothSigns(a), bothSigns(b), context);
  }
  if (isSetLike(a) || isSetLike(b)) {
    const found = sameSets(a, b, context);
    if (found !== null) return found;
    if (a.kind === 'setOperation' && b.kind === 'setOperation' && a.op === b.op) {
      context.rules.add('set-union');
      return a.op === 'difference' ? inOrder(a.args, b.args, context) : anyOrder(a.args, b.args, context);
    }
    if (a.kind === 'namedSet' && b.kind === 'namedSet')
      return a.name === b.name ? yes(context, 'structure') : no(context, 'structure');
    if (a.kind === 'builder' && b.kind === 'builder')
      return inOrder([a.element, a.condition], [b.element, b.condition], context);
    if (a.kind !== 'list' && b.kind !== 'list') return no(context, 'kind-differs');
  }
  if (a.kind === 'list' || b.kind === 'list' || a.kind === 'set' || b.kind === 'set')
    return sameCollections(a, b, context);
  if (isVector(a) && isVector(b)) return sameVectors(a, b, context);
  if (a.kind === 'piecewise' && b.kind === 'piecewise') return samePieces(a, b, context);
  if (a.kind === 'ratio' || b.kind === 'ratio') return sameRatios(a, b, context);

  const found = equalExpressions(unitless(a), unitless(b), budget, options);
  if (found?.answer === false && baseLeftOut(a, b)) return yes(context, 'base-left-out');
  if (found !== null) {
    if (
      found.answer !== true &&
      options.strictness === 'lenient' &&
      (a.kind === 'percent') !== (b.kind === 'percent')
    ) {
      const bare = same(a.kind === 'percent' ? a.arg : a, b.kind === 'percent' ? b.arg : b, context);
      if (bare) return yes(context, 'percent-left-out');
    }
    if (found.answer === false && options.names === 'ignored') {
      const renamed = renameLike(a, b);
      if (renamed && equalExpressions(a, renamed, budget, options)?.answer === true) return yes(context, 'renamed');
    }
    context.rules.add(found.rule as RuleId);
    return found.answer;
  }
  return sameStructure(a, b, context);
}

/** 4343 for 4343_6, where the question says in which base. */
function baseLeftOut(a: Node, b: Node): boolean {
  const [based, other] = a.kind === 'based' ? [a, b] : b.kind === 'based' ? [b, a] : [null, a];
  return (
    based !== null &&
    other.kind === 'number' &&
    other.decimals === null &&
    other.value.d === 1n &&
    other.value.n.toString() === based.digits.replace(/^0+(?=.)/, '')
  );
}

// Values and words

/** A list of one is that one. */
function lifted(node: Node): Node {
  let here = node;
  while ((here.kind === 'list' || here.kind === 'tuple') && here.items.length === 1) here = here.items[0]!;
  return here;
}

const letters = (node: Node): string | null => {
  if (node.kind === 'symbol') return node.name;
  if (node.kind === 'text') return node.text;
  if (node.kind === 'namedSet')
    return node.name === '∅' ? 'no solution' : node.name === 'R' ? 'all real numbers' : null;
  if (node.kind === 'mul') {
    const parts = node.args.map(letters);
    return parts.includes(null) ? null : parts.join('');
  }
  return null;
};

function sameText(a: Node, b: Node, context: Context): Answer {
  const [left, right] = [letters(a), letters(b)];
  if (left === null || right === null) {
    // "yes, x = 5" is nothing but words and more.
    return no(context, 'kind-differs');
  }
  const plain = (text: string): string => text.replace(/[\s.()]/g, '');
  const [x, y] = [plain(left), plain(right)];
  if (x === y || x.toLowerCase() === y.toLowerCase()) return yes(context, 'words');
  const [m, n] = [meaningOf(wordsOf(left) ?? left.toLowerCase()), meaningOf(wordsOf(right) ?? right.toLowerCase())];
  return m === n ? yes(context, 'words-meaning') : no(context, 'words');
}

interface Measure {
  readonly kind: string;
  readonly factor: q.Rational;
}

/** What a unit such as km/h or inches^2 is of; null for units that we do not know, which count as words. */
function measureOf(unit: string): Measure | null {
  let kind: string[] = [];
  let factor = q.one;
  const parts = unit.split(/(?<=[^\s])\s*(\/|\bper\b)\s*/);
  let sign = 1;
  for (const part of parts) {
    if (part === '/' || part === 'per') {
      sign = -1;
      continue;
    }
    for (const word of part
      .replace(/\bsquare\s+(\w+)/g, '$1^2')
      .replace(/\bcubic\s+(\w+)/g, '$1^3')
      .replace(/(\w+)\s+(squared|cubed)/g, (_, name: string, how: string) => `${name}^${how === 'squared' ? 2 : 3}`)
      .split(/\s+/)) {
      if (word === '') continue;
      const [name, power = '1'] = word.split('^') as [string, string?];
      const known = unitOf(name);
      const exponent = Number(power) * sign;
      if (!known || !Number.isInteger(exponent) || Math.abs(exponent) > 4) return null;
      kind.push(`${known.kind}^${exponent}`);
      for (let i = 0; i < Math.abs(exponent); i++)
        factor = exponent > 0 ? q.multiply(factor, known.factor) : q.divide(factor, known.factor);
    }
  }
  kind = kind.sort();
  return kind.length === 0 ? null : { kind: kind.join(' '), factor };
}

function sameQuantity(a: Node, b: Node, context: Context): Answer {
  if (a.kind === 'quantity' && b.kind === 'quantity') {
    const [x, y] = [measureOf(a.unit), measureOf(b.unit)];
    if (x && y) {
      if (x.kind !== y.kind) return no(context, 'unit-differs');
      if (q.equals(x.factor, y.factor)) return same(a.arg, b.arg, context);
      context.rules.add('unit-converted');
      const scaled = (arg: Node, factor: q.Rational): Node => ({
        kind: 'mul',
        args: [{ kind: 'number', value: factor, decimals: null, digits: 0 }, arg],
      });
      return same(scaled(a.arg, x.factor), scaled(b.arg, y.factor), context);
    }
    return same(a.arg, b.arg, context);
  }
  context.rules.add('unit-left-out');
  return same(a.kind === 'quantity' ? a.arg : a, b.kind === 'quantity' ? b.arg : b, context);
}

function sameDegree(a: Node, b: Node, context: Context): Answer {
  const [degree, other] = a.kind === 'degree' ? [a, b] : [b as Extract<Node, { kind: 'degree' }>, a];
  const plain = a.kind === 'degree' ? same(degree.arg, other, context) : same(other, degree.arg, context);
  if (plain === true) return yes(context, 'degree-left-out');
  // 90° and π/2.
  if (some(other, n => n.kind === 'constant' && n.name === 'pi')) {
    const found = equalExpressions(degree, unitless(other), context.budget, context.options);
    if (found?.answer === true) return yes(context, 'degree-radian');
  }
  return plain;
}

/** Units inside of sums and products: the numbers alone. */
const unitless = (node: Node): Node =>
  some(node, n => n.kind === 'quantity') ? rewrite(node, n => (n.kind === 'quantity' ? n.arg : n)) : node;

const isPlusMinus = (node: Node): boolean => node.kind === 'plusMinus';

/** Both readings of the signs: all upper ones, all lower ones. Elements of lists and sets each give two. */
function bothSigns(node: Node): Node {
  if (!some(node, isPlusMinus)) return node;
  if (node.kind === 'list' || node.kind === 'set')
    return { ...node, items: node.items.flatMap(item => (some(item, isPlusMinus) ? signsOf(item) : [item])) };
  return { kind: 'list', items: signsOf(node) };
}

const signsOf = (node: Node): Node[] =>
  [1, -1].map(which =>
    rewrite(node, n => {
      if (n.kind !== 'plusMinus') return n;
      const right: Node = n.sign * which > 0 ? n.right : { kind: 'neg', arg: n.right };
      return n.left === null ? right : { kind: 'add', args: [n.left, right] };
    }),
  );

/** Names of b renamed to those of a, in the order in which they come; null where their numbers differ. */
function renameLike(a: Node, b: Node): Node | null {
  const order = (node: Node): string[] => {
    const names: string[] = [];
    some(node, n => {
      if (n.kind === 'symbol' && n.name !== 'e' && n.name !== 'i' && !names.includes(n.name)) names.push(n.name);
      return false;
    });
    return names;
  };
  const [x, y] = [order(a), order(b)];
  if (x.length !== y.length) return null;
  return rewrite(b, n =>
    n.kind === 'symbol' && y.includes(n.name) ? { kind: 'symbol', name: x[y.indexOf(n.name)]! } : n,
  );
}

// Relations

type Relation = Extract<Node, { kind: 'relation' }>;

const memberOf = (node: Node): Node | null =>
  node.kind === 'relation' && node.ops.length === 1 && node.ops[0] === '∈' && isName(node.terms[0]!)
    ? node.terms[1]!
    : null;

/** What `x = 2 + 3 = 5` says that something is: its last value before any ≈. null where it is a true equation. */
export function valueOfRelation(
  node: Relation,
  context: Context,
): { readonly name: Node | null; readonly value: Node } | null {
  const { terms, ops } = node;
  if (ops.every(op => op === '→')) return null;
  if (!ops.every(op => op === '=' || op === '≈' || op === '≡')) return null;
  const first = terms[0]!;
  const isConstant = (term: Node): boolean => realValue(term, context.budget) !== null;
  if (
    isName(first) ||
    (ops.length > 1 &&
      (isConstant(first) || first.kind === 'pow' || first.kind === 'mul' || first.kind === 'add') &&
      isConstant(terms.at(-1)!)) ||
    terms.every(isConstant)
  ) {
    let last = terms.length - 1;
    const exact = ops.lastIndexOf('=');
    if (exact >= 0 && exact + 1 < last) last = exact + 1;
    // x ≈ 11 and nothing else.
    context.rules.add(ops.length > 1 ? 'chain-value' : ops[0] === '≈' ? 'approximate-value' : 'assignment');
    return { name: isName(first) ? first : null, value: terms[last]! };
  }
  // 5 = x
  if (ops.length === 1 && ops[0] === '=' && isConstant(first) && isName(terms[1]!)) {
    context.rules.add('assignment');
    return { name: terms[1]!, value: first };
  }
  return null;
}

/** y and f(x) both only say "the function". */
const isFunctionName = (node: Node): boolean =>
  (node.kind === 'symbol' && node.name === 'y') ||
  (node.kind === 'apply' && node.args.length === 1 && node.args[0]!.kind === 'symbol');

function sameRelations(a: Relation, b: Relation, context: Context): Answer {
  const [x, y] = [valueOfRelation(a, context), valueOfRelation(b, context)];
  if (x && y) {
    const named = x.name !== null && y.name !== null;
    const match =
      !named ||
      nameOf(x.name!) === nameOf(y.name!) ||
      (isFunctionName(x.name!) && isFunctionName(y.name!)) ||
      context.options.names === 'ignored' ||
      x.name!.kind === 'tuple';
    if (match) {
      const found = same(x.value, y.value, context);
      if (found !== false) return found;
    }
    if (!(a.ops.length === 1 && b.ops.length === 1)) return match ? false : no(context, 'name-differs');
    const equation = sameEquation(a, b, context);
    return equation === true ? true : match ? equation : no(context, 'name-differs');
  }
  const equation = (node: Relation): boolean => node.ops.every(op => op === '=' || op === '≈' || op === '≡');
  if (equation(a) && equation(b)) {
    if (a.ops.length === 1 && b.ops.length === 1) return sameEquation(a, b, context);
    return a.terms.length === b.terms.length ? anyOrder(a.terms, b.terms, context) : no(context, 'length-differs');
  }
  if (equation(a) !== equation(b)) return no(context, 'kind-differs');
  const sets = sameSets(a, b, context);
  if (sets === true) return true;
  if (a.ops.length === b.ops.length) {
    const inequality = sameInequalities(a, b, context);
    if (inequality !== false) return inequality;
  }
  return sets ?? no(context, 'inequality-multiple');
}

const nameOf = (node: Node): string => structure(node).replaceAll('"degree"', '"symbol"');

function sameEquation(a: Relation, b: Relation, context: Context): Answer {
  const side = (relation: Relation): Node => ({
    kind: 'add',
    args: [relation.terms[0]!, { kind: 'neg', arg: relation.terms[1]! }],
  });
  const sign = proportional(unitless(side(a)), unitless(side(b)), context.budget);
  if (sign === null) return inOrder(a.terms, b.terms, context);
  return sign === 0 ? no(context, 'equation-multiple') : yes(context, 'equation-multiple');
}

const flip: Readonly<Record<string, string>> = { '<': '>', '>': '<', '≤': '≥', '≥': '≤' };

function sameInequalities(a: Relation, b: Relation, context: Context): Answer {
  if (a.ops.length > 1) {
    const straight = a.ops.every((op, i) => op === b.ops[i]) ? inOrder(a.terms, b.terms, context) : false;
    if (straight !== false) return straight;
    const turned = a.ops.every((op, i) => flip[op] === b.ops[b.ops.length - 1 - i]);
    return turned ? inOrder(a.terms, b.terms.toReversed(), context) : no(context, 'inequality-multiple');
  }
  const [x, y] = [a.ops[0]!, b.ops[0]!];
  const side = (relation: Relation): Node => ({
    kind: 'add',
    args: [relation.terms[0]!, { kind: 'neg', arg: relation.terms[1]! }],
  });
  if (flip[x] === undefined || flip[y] === undefined) {
    if (x !== y) return no(context, 'inequality-multiple');
    if (x === '≠') return sameEquation(a, b, context);
    return inOrder(a.terms, b.terms, context);
  }
  const sign = proportional(side(a), side(b), context.budget);
  if (sign === null) return null;
  if (sign === 0) return no(context, 'inequality-multiple');
  return (sign > 0 ? x === y : flip[x] === y)
    ? yes(context, 'inequality-multiple')
    : no(context, 'inequality-multiple');
}

/** As sets of real numbers; null where one is none. */
function sameSets(a: Node, b: Node, context: Context): Answer {
  const [x, y] = [realSetOf(a, context.budget), realSetOf(b, context.budget)];
  if (x === null || y === null) return null;
  const [nameX, nameY] = [relationSet(a, context.budget)?.name, relationSet(b, context.budget)?.name];
  if (nameX !== undefined && nameY !== undefined && nameX !== nameY) return no(context, 'name-differs');
  const rule: RuleId =
    a.kind === 'relation' || b.kind === 'relation' || a.kind === 'builder' || b.kind === 'builder'
      ? 'inequality-interval'
      : 'set-union';
  context.rules.add(rule);
  return samePiecesOfLine(x, y, context);
}

function samePiecesOfLine(x: RealSet, y: RealSet, context: Context): Answer {
  if (x.length !== y.length) return no(context, 'length-differs');
  return all(
    x.flatMap(({ low, high }, i) => {
      const other = y[i]!;
      if (low.closed !== other.low.closed || high.closed !== other.high.closed) return [no(context, 'brackets-differ')];
      return [same(low.node, other.low.node, context), same(high.node, other.high.node, context)];
    }),
  );
}

// Collections

const itemsOf = (node: Node): readonly Node[] =>
  node.kind === 'list' || node.kind === 'set' || node.kind === 'tuple' ? node.items : [node];

function sameCollections(a: Node, b: Node, context: Context): Answer {
  const { options } = context;
  const [x, y] = [itemsOf(a), itemsOf(b)];
  if (a.kind === 'tuple' || b.kind === 'tuple') {
    // 4, 2 for (4, 2): the brackets were left out. A set is no tuple.
    if (a.kind === 'set' || b.kind === 'set')
      return options.strictness === 'lenient' ? anyOrder(x, y, context) : no(context, 'kind-differs');
    if (x.length === y.length) {
      context.rules.add('bare-tuple');
      return inOrder(x, y, context);
    }
    return x.length === 1 || y.length === 1 ? oneOf(a, b, x, y, context) : no(context, 'length-differs');
  }
  if (a.kind === 'set' && b.kind === 'set') context.rules.add('set-elements');
  else if (a.kind === 'set' || b.kind === 'set') context.rules.add('list-as-set');
  else if (options.lists === 'ordered' || differentlyNamed(x) !== differentlyNamed(y)) return inOrder(x, y, context);
  else context.rules.add('unordered-list');
  if (x.length === 1 || y.length === 1) return oneOf(a, b, x, y, context);
  return anyOrder(x, y, context);
}

/** A list and a single value: only if all its elements are that value; {5} is 5. */
function oneOf(a: Node, b: Node, x: readonly Node[], y: readonly Node[], context: Context): Answer {
  const [one, many] = x.length === 1 ? [x[0]!, y] : [y[0]!, x];
  if (many.length > 1 && (one === a || one === b) && isSetLike(one))
    return sameSets(a, b, context) ?? no(context, 'length-differs');
  return many.length <= 16
    ? all(many.map(item => (x.length === 1 ? same(one, item, context) : same(item, one, context))))
    : no(context, 'length-differs');
}

/** x = 1, y = 2: values that belong to different names are in order; x₁ and x₂ are not. */
function differentlyNamed(items: readonly Node[]): boolean {
  const names = items.map(item =>
    item.kind === 'relation' && item.ops.length === 1 && item.ops[0] === '=' && isName(item.terms[0]!)
      ? nameOf(item.terms[0]!).replace(/_\{?\d+\}?/g, '')
      : null,
  );
  return items.length > 1 && !names.includes(null) && new Set(names).size === items.length;
}

function inOrder(x: readonly Node[], y: readonly Node[], context: Context): Answer {
  if (x.length !== y.length) return no(context, 'length-differs');
  return all(x.map((item, i) => same(item, y[i]!, context)));
}

/** Each element of one is in the other: elements that come twice count once. */
function anyOrder(x: readonly Node[], y: readonly Node[], context: Context): Answer {
  if (x.length * y.length > 10_000) overBudget('elements');
  let unsure = false;
  const covered = (items: readonly Node[], others: readonly Node[], swap: boolean): boolean =>
    items.every((item, i) => {
      let maybe = false;
      // Most lists are in the same order: that partner is tried first.
      for (let k = 0; k < others.length; k++) {
        const other = others[(i + k) % others.length]!;
        const scratch: Context = { ...context, rules: new Set() };
        const found = swap ? same(other, item, scratch) : same(item, other, scratch);
        if (found) {
          scratch.rules.forEach(rule => context.rules.add(rule));
          return true;
        }
        if (found === null) maybe = true;
      }
      unsure ||= maybe;
      return maybe;
    });
  const found = covered(x, y, false) && covered(y, x, true);
  return found ? (unsure ? null : true) : false;
}

type Vector = Extract<Node, { kind: 'tuple' | 'matrix' }>;

function isVector(node: Node): node is Vector {
  return node.kind === 'tuple' || node.kind === 'matrix';
}

function sameVectors(a: Vector, b: Vector, context: Context): Answer {
  if (a.kind === 'tuple' && b.kind === 'tuple') {
    context.rules.add('tuple-elements');
    if (a.items.length !== b.items.length) return no(context, 'length-differs');
    // Brackets tell intervals apart; longer ones are vectors in any brackets.
    if (a.items.length === 2 && !sameBrackets(a, b) && !decreasing(a, context)) return no(context, 'brackets-differ');
    return inOrder(a.items, b.items, context);
  }
  if (a.kind === 'matrix' && b.kind === 'matrix') {
    context.rules.add('matrix-elements');
    if (a.rows.length !== b.rows.length || a.rows[0]!.length !== b.rows[0]!.length) {
      // A row for a column.
      const flat = (node: typeof a): boolean => node.rows.length === 1 || node.rows[0]!.length === 1;
      if (!(flat(a) && flat(b)) || context.options.strictness === 'strict') return no(context, 'length-differs');
    }
    return inOrder(a.rows.flat(), b.rows.flat(), context);
  }
  context.rules.add('vector-notation');
  const cells = (node: Vector): readonly Node[] | null =>
    node.kind === 'tuple' ? node.items : node.rows.length === 1 || node.rows[0]!.length === 1 ? node.rows.flat() : null;
  const [x, y] = [cells(a), cells(b)];
  return x && y ? inOrder(x, y, context) : no(context, 'kind-differs');
}

/** Infinite ends are open, whatever the bracket. */
function sameBrackets(a: Extract<Node, { kind: 'tuple' }>, b: Extract<Node, { kind: 'tuple' }>): boolean {
  const endless = (node: Node): boolean => some(node, n => n.kind === 'constant' && n.name === 'infinity');
  return (a.open === b.open || endless(a.items[0]!)) && (a.close === b.close || endless(a.items[1]!));
}

/** [3, -13] is no interval, so it is a point in square brackets. */
function decreasing(node: Extract<Node, { kind: 'tuple' }>, { budget }: Context): boolean {
  const [low, high] = node.items.map(item => realValue(item, budget)) as [number | null, number | null];
  return low !== null && high !== null && low > high;
}

type Piecewise = Extract<Node, { kind: 'piecewise' }>;

function samePieces(a: Piecewise, b: Piecewise, context: Context): Answer {
  context.rules.add('piecewise-cases');
  const pairs = (node: Piecewise): Node[] =>
    node.cases.map(({ value, when }) => ({
      kind: 'tuple',
      open: '(',
      close: ')',
      items: when ? [value, when] : [value],
    }));
  return anyOrder(pairs(a), pairs(b), context);
}

function sameRatios(a: Node, b: Node, context: Context): Answer {
  if (a.kind === 'ratio' && b.kind === 'ratio') {
    if (a.terms.length !== b.terms.length) return no(context, 'length-differs');
    if (a.clock || b.clock) {
      context.rules.add('clock');
      return inOrder(a.terms, b.terms, context);
    }
    context.rules.add('ratio-multiple');
    const zero = (node: Node): boolean => realValue(node, context.budget) === 0;
    if (a.terms.some(zero) || b.terms.some(zero)) return inOrder(a.terms, b.terms, context);
    const [first, other] = [a.terms[0]!, b.terms[0]!];
    return all(
      a.terms
        .slice(1)
        .map((term, i) =>
          same({ kind: 'mul', args: [first, b.terms[i + 1]!] }, { kind: 'mul', args: [other, term] }, context),
        ),
    );
  }
  const found = equalExpressions(a, b, context.budget, context.options);
  if (found === null) return no(context, 'kind-differs');
  context.rules.add(found.answer ? 'ratio-multiple' : 'kind-differs');
  return found.answer;
}

/** What is no expression, part by part: ∞ - 1, θ M, the determinant of a matrix. */
function sameStructure(a: Node, b: Node, context: Context): Answer {
  context.rules.add('structure');
  const [x, y] = [matrixOf(a, context), matrixOf(b, context)];
  if (x && y && (a.kind !== 'matrix' || b.kind !== 'matrix')) return sameVectors(x, y, context);
  if (a.kind !== b.kind)
    return signOfInfinity(a) === 0 && signOfInfinity(b) === 0 ? false : signOfInfinity(a) === signOfInfinity(b);
  if (shallow(a) !== shallow(b)) return false;
  const [left, right] = [childrenOf(a), childrenOf(b)];
  if (left.length !== right.length) return false;
  if (left.length === 0) return structure(a) === structure(b);
  if (a.kind === 'add' || a.kind === 'mul') return anyOrder(left, right, context);
  return inOrder(left, right, context);
}

function signOfInfinity(node: Node): 1 | -1 | 0 {
  if (node.kind === 'constant' && node.name === 'infinity') return 1;
  if (node.kind === 'neg') return -signOfInfinity(node.arg) as 1 | -1 | 0;
  if (node.kind === 'percent') return signOfInfinity(node.arg);
  return 0;
}

/** Its own part of a node: kind, names and operators without children. */
const shallow = (node: Node): string => {
  switch (node.kind) {
    case 'call':
    case 'apply':
      return `${node.kind} ${node.name}`;
    case 'relation':
      return `relation ${node.ops.join(' ')}`;
    case 'big':
      return `big ${node.op}`;
    case 'setOperation':
      return node.op;
    case 'tuple':
      return `${node.open}${node.close}`;
    default:
      return node.kind;
  }
};

/** Sums, differences and multiples of matrices, worked out. */
function matrixOf(node: Node, context: Context): Extract<Node, { kind: 'matrix' }> | null {
  spend(context.budget);
  const map = (
    rows: readonly (readonly Node[])[],
    by: (cell: Node, row: number, column: number) => Node,
  ): Extract<Node, { kind: 'matrix' }> => ({
    kind: 'matrix',
    rows: rows.map((row, i) => row.map((cell, j) => by(cell, i, j))),
  });
  switch (node.kind) {
    case 'matrix':
      return node;
    case 'neg': {
      const inner = matrixOf(node.arg, context);
      return inner && map(inner.rows, arg => ({ kind: 'neg', arg }));
    }
    case 'div': {
      const inner = matrixOf(node.over, context);
      return inner && map(inner.rows, over => ({ kind: 'div', over, under: node.under }));
    }
    case 'mul': {
      const parts = node.args.map(arg => matrixOf(arg, context));
      const found = parts.filter(part => part !== null);
      if (found.length !== 1) return null;
      const scalars = node.args.filter((_, i) => parts[i] === null);
      return map(found[0]!.rows, cell => ({ kind: 'mul', args: [...scalars, cell] }));
    }
    case 'add': {
      const parts = node.args.map(arg => matrixOf(arg, context));
      const [first] = parts;
      if (
        !first ||
        parts.includes(null) ||
        parts.some(part => part!.rows.length !== first.rows.length || part!.rows[0]!.length !== first.rows[0]!.length)
      )
        return null;
      return map(first.rows, (_, i, j) => ({ kind: 'add', args: parts.map(part => part!.rows[i]![j]!) }));
    }
    case 'call':
      if (node.name === 'transpose' && node.args[0]!.kind === 'matrix') {
        const { rows } = node.args[0]!;
        return { kind: 'matrix', rows: rows[0]!.map((_, j) => rows.map(row => row[j]!)) };
      }
      return null;
    default:
      return null;
  }
}
