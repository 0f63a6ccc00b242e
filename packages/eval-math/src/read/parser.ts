/**
 * Tokens to a tree: recursive descent that never goes back, so the work grows with the length of the text. Total: what
 * cannot be read ends in a Stop that says where and what was expected, never in an exception of another kind.
 *
 * From loosest to tightest: lists, relations, set operations, ratios, sums, products, signs, powers, atoms. A product by
 * juxtaposition binds tighter than `/` (`1/2y` is 1/(2y)), unless spaces say otherwise (`1/2 y` is (1/2)y).
 */

import { overBudget, spend, unparsed, type Budget } from '../budget.js';
import { whole, zero } from '../exact/rational.js';
import { call, numberNode, symbol, type Node, type RelationName } from '../tree.js';
import { decimalNumber, tokenize, type Token } from './lexer.js';
import { trailingUnit } from './prose.js';
import { unitOf } from './units.js';
import { accents, bareArgument, functions, inverses, letters } from './vocabulary.js';

const relations = new Set('= ≠ < ≤ > ≥ ∈ ∉ ⊂ ⊆ ⊃ ⊇ ≈ ≡ ∼ → ⊥ ∥'.split(' '));
const opposite: Readonly<Record<string, string>> = { '=': '≠', '∈': '∉', '<': '≥', '>': '≤', '≤': '>', '≥': '<' };
const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '⦃': '⦄', '⟨': '⟩', '{': '}' };
const conditionWords = /^(?:if|when|for|where|otherwise|else|elsewhere|whenever|provided|as|with)\b/i;
const alwaysApplied = new Set(['f', 'g', 'h', 'Gamma', 'phi', 'psi', 'varphi', 'Phi', 'Psi']);

/** The trailing words that only say that the answer goes on with another one. */
const conjunction = (text: string): boolean => /(?:^|[\s,;])(?:and|or)[\s,;:]*$/i.test(text) || /^[\s,;]+$/.test(text);

export function parse(source: string, budget: Budget, level = 0): Node {
  const tokens = tokenize(source, budget) as Token[];
  let here = 0;
  let depth = level;
  /** Absolute values that a bar would close. */
  let bars = 0;
  /** Sets in braces in which a bar or a colon would begin a condition. */
  let builders = 0;
  /** Open integrals; each learns its variable when `dx` is met. */
  const integrals: { variable: string | null }[] = [];
  let limitSide: 1 | -1 | null = null;

  const peek = (offset = 0): Token => tokens[Math.min(here + offset, tokens.length - 1)]!;
  const isSign = (text: string, offset = 0): boolean => {
    const token = peek(offset);
    return token.type === 'sign' && token.text === text;
  };
  const isCommand = (text: string): boolean => peek().type === 'command' && peek().text === text;
  const accept = (text: string): boolean => isSign(text) && (here++, true);
  const stop = (what: string): never => unparsed(what, peek().at);
  const expect = (text: string): void => {
    if (!accept(text)) stop(`'${text}'`);
  };

  function enter(): void {
    if (++depth > budget.limits.depth) overBudget('depth');
  }

  function deeper<T>(read: () => T): T {
    enter();
    const result = read();
    depth--;
    return result;
  }

  // Lists

  interface Sequence {
    readonly items: Node[];
    readonly marks: string[];
  }

  /** Whether a separator stands here, and what it is; it is consumed. */
  function separator(): string | null {
    let found: string | null = null;
    for (;;) {
      const token = peek();
      if (token.type === 'sign' && (token.text === ',' || token.text === ';'))
        found = found === ';' ? found : token.text;
      else if (
        token.type === 'sign' &&
        (token.text === '∧' || token.text === '∨' || token.text === '∪' || token.text === '\\\\')
      )
        found = found ?? ',';
      else if (token.type === 'word') found = found ?? ',';
      else if (token.type === 'text' && !token.text.startsWith('fn:') && conjunction(token.text.replace(/^math:/, '')))
        found = found ?? ',';
      else return found;
      here++;
    }
  }

  const ends = (): boolean => {
    const { type, text } = peek();
    return (
      type === 'end' ||
      (type === 'sign' &&
        (text === ')' || text === ']' || text === '}' || text === '⦄' || text === '⟩' || text === '&')) ||
      (type === 'command' && text.startsWith('end '))
    );
  };

  function sequence(): Sequence {
    const items: Node[] = [];
    const marks: string[] = [];
    separator();
    while (!ends()) {
      items.push(statement());
      const mark = separator();
      if (mark === null) break;
      if (!ends()) marks.push(mark);
    }
    return { items, marks };
  }

  /** Items as one node: `1, 2; 3, 4` is a list of two lists. */
  function joined({ items, marks }: Sequence): Node {
    if (items.length === 1) return items[0]!;
    if (!marks.includes(';') || !marks.includes(',')) return { kind: 'list', items };
    const groups: Node[][] = [[items[0]!]];
    marks.forEach((mark, i) => (mark === ';' ? groups.push([items[i + 1]!]) : groups.at(-1)!.push(items[i + 1]!)));
    return {
      kind: 'list',
      items: groups.map(group => (group.length === 1 ? group[0]! : { kind: 'list', items: group })),
    };
  }

  // Relations

  function relationHere(): RelationName | null {
    const token = peek();
    if (token.type === 'command' && token.text === 'not') {
      const next = peek(1);
      if (next.type === 'sign' && opposite[next.text] !== undefined) {
        here += 2;
        return opposite[next.text] as RelationName;
      }
      return null;
    }
    if (token.type !== 'sign' || !relations.has(token.text)) return null;
    here++;
    return token.text as RelationName;
  }

  function statement(): Node {
    enter();
    const node = statementWithin();
    depth--;
    return node;
  }

  function statementWithin(): Node {
    spend(budget);
    while (peek().type === 'command' && peek().text === 'stackrel') here++;
    const terms: Node[] = [];
    const ops: RelationName[] = [];
    // `= 5` and `≈ 5`: what stands before is not there.
    let dangling = relationHere();
    if (dangling !== null && dangling !== '=' && dangling !== '≈' && dangling !== '→')
      stop('a value before the relation');
    terms.push(setLevel());
    for (let op = relationHere(); op !== null; op = relationHere()) {
      if (isSign('&')) here++;
      // `x =` with nothing after it.
      if (ends() || isSign(',') || isSign(';')) break;
      ops.push(op);
      // k ∈ 1, 2, 3
      terms.push(op === '∈' && level === 0 && depth <= 2 ? membership() : setLevel());
    }
    dangling = null;
    return ops.length === 0 ? terms[0]! : { kind: 'relation', terms, ops };
  }

  function membership(): Node {
    const first = setLevel();
    if (first.kind !== 'number' || !isSign(',')) return first;
    const items = [first as Node];
    while (accept(',')) items.push(setLevel());
    return { kind: 'set', items };
  }

  function setLevel(): Node {
    let left = ratio();
    for (;;) {
      const op = isSign('∪') ? 'union' : isSign('∩') ? 'intersection' : isSign('∖') ? 'difference' : null;
      // x < 1 ∪ x > 3 is two inequalities.
      if (op === null || (op === 'union' && !mayBeSet(left))) return left;
      here++;
      const right = ratio();
      left =
        left.kind === 'setOperation' && left.op === op && op !== 'difference'
          ? { ...left, args: [...left.args, right] }
          : { kind: 'setOperation', op, args: [left, right] };
    }
  }

  const mayBeSet = ({ kind }: Node): boolean =>
    kind === 'tuple' ||
    kind === 'set' ||
    kind === 'namedSet' ||
    kind === 'setOperation' ||
    kind === 'builder' ||
    kind === 'symbol' ||
    kind === 'apply' ||
    kind === 'text';

  function ratio(): Node {
    const first = sum();
    if (!isSign(':') || builders > 0) return first;
    const terms = [first];
    let clock = false;
    while (isSign(':')) {
      here++;
      if (ends()) stop('a second part of the ratio');
      clock ||= peek().type === 'number' && /^0\d$/.test(peek().text);
      terms.push(sum());
    }
    return { kind: 'ratio', terms, clock };
  }

  // Sums and products

  function sum(): Node {
    enter();
    const node = sumWithin();
    depth--;
    return node;
  }

  function sumWithin(): Node {
    const args: Node[] = [];
    const push = (node: Node): void => {
      if (node.kind === 'add') args.push(...node.args);
      else args.push(node);
    };
    let result: Node | null = null;
    if (accept('+')) args.push(product());
    else if (isSign('±') || isSign('∓')) {
      const sign = isSign('±') ? 1 : -1;
      here++;
      result = { kind: 'plusMinus', left: null, right: product(), sign };
    } else args.push(product());
    const settle = (): Node => result ?? (args.length === 1 ? args[0]! : { kind: 'add', args: [...args] });
    for (;;) {
      if (integrals.length > 0 && integrals.at(-1)!.variable !== null) break;
      if (accept('+')) {
        const next = product();
        if (result) {
          result = { kind: 'add', args: [result, next] };
        } else push(next);
      } else if (isSign('-')) {
        here++;
        const next: Node = { kind: 'neg', arg: product() };
        if (result) result = { kind: 'add', args: [result, next] };
        else push(next);
      } else if (isSign('±') || isSign('∓')) {
        const sign = isSign('±') ? 1 : -1;
        here++;
        result = { kind: 'plusMinus', left: settle(), right: product(), sign };
      } else if (isCommand('over') || isCommand('choose')) {
        const choose = isCommand('choose');
        here++;
        const right = sum();
        return choose ? call('binomial', settle(), right) : { kind: 'div', over: settle(), under: right };
      } else break;
    }
    return settle();
  }

  const multiply = (left: Node, right: Node): Node =>
    left.kind === 'mul' ? { kind: 'mul', args: [...left.args, right] } : { kind: 'mul', args: [left, right] };

  /** Whether what stands here can be the next factor of a product without a sign. */
  function startsFactor(): boolean {
    const { type, text, side } = peek();
    switch (type) {
      case 'number':
      case 'letter':
      case 'function':
        return true;
      case 'command':
        return (
          !text.startsWith('end ') && text !== 'over' && text !== 'choose' && text !== 'not' && text !== 'stackrel'
        );
      case 'text':
        return !conditionWords.test(text.trim()) && !conjunction(text.replace(/^math:/, ''));
      case 'sign':
        if (text === '|' || text === '‖') return side === 'left' || (side !== 'right' && bars === 0 && builders === 0);
        return '([{⦃⟨⌊⌈⎸√∛∑∏∫π∞'.includes(text) && text !== '';
      default:
        return false;
    }
  }

  function product(): Node {
    let left = signed();
    const factors: Node[] = [];
    const settle = (): Node => {
      if (factors.length === 0) return left;
      const all = left.kind === 'mul' ? [...left.args, ...factors] : [left, ...factors];
      factors.length = 0;
      return { kind: 'mul', args: all };
    };
    for (;;) {
      spend(budget);
      if (integrals.length > 0 && integrals.at(-1)!.variable !== null) break;
      if (accept('*')) {
        if (ends()) break;
        factors.push(signed());
      } else if (isSign('/')) {
        here++;
        const over = settle();
        left = { kind: 'div', over, under: denominator() };
      } else if (isSign('mod')) {
        here++;
        const of = settle();
        left = call('mod', of, denominator());
      } else if (isSign('pmod')) {
        here++;
        const of = settle();
        left = call('mod', of, power());
      } else if (peek().type === 'unit') {
        const unit = units();
        left = { kind: 'quantity', arg: settle(), unit };
      } else if (peek().type === 'text') {
        if (!startsFactor()) break;
        const next = textFactor(true);
        if (typeof next === 'string') left = { kind: 'quantity', arg: settle(), unit: next };
        else factors.push(next);
      } else if (startsFactor()) {
        factors.push(power());
      } else break;
    }
    return settle();
  }

  /** What a `/` or `mod` divides by: factors that stand close together. */
  function denominator(): Node {
    if (peek().type === 'text' || peek().type === 'unit') return numberNode(whole(1)); // km / h after a number is left out
    let left = signed();
    const plain = left.kind === 'number';
    while (startsFactor() && peek().type !== 'text' && !(plain && peek().space)) {
      spend(budget);
      left = multiply(left, power());
    }
    return left;
  }

  function signed(): Node {
    let minus = false;
    let any = 0;
    while (isSign('-') || isSign('+')) {
      if (++any > budget.limits.depth) overBudget('depth');
      if (isSign('-')) minus = !minus;
      here++;
    }
    const arg = power();
    return minus ? negated(arg) : arg;
  }

  /** The sign belongs to the number: -3° is (-3)°. */
  const negated = (arg: Node): Node =>
    arg.kind === 'degree' || arg.kind === 'percent' || arg.kind === 'quantity'
      ? { ...arg, arg: { kind: 'neg', arg: arg.arg } }
      : { kind: 'neg', arg };

  // Units and words

  /** Units that follow each other: `km/h`, `inches^2`. */
  function units(): string {
    let unit = '';
    for (;;) {
      const token = peek();
      if (token.type === 'unit') {
        unit += (unit !== '' && !unit.endsWith('/') ? ' ' : '') + token.text;
        here++;
      } else if (
        token.type === 'text' &&
        !conditionWords.test(token.text.trim()) &&
        !conjunction(token.text) &&
        !token.text.startsWith('fn:')
      ) {
        unit += (unit !== '' && !unit.endsWith('/') ? ' ' : '') + wordsOf(token.text);
        here++;
      } else if (isSign('^') || isSign('°')) {
        if (isSign('°')) {
          here++;
          continue;
        }
        here++;
        const power = isSign('{') ? group() : atom();
        unit += `^${power.kind === 'number' ? power.value.n : power.kind === 'neg' && power.arg.kind === 'number' ? -power.arg.value.n : '?'}`;
      } else if (isSign('/') && (peek(1).type === 'text' || peek(1).type === 'unit')) {
        unit += '/';
        here++;
      } else if ((isSign('*') || isSign('-')) && (peek(1).type === 'text' || peek(1).type === 'unit') && unit !== '') {
        here++;
      } else return unit.trim();
    }
  }

  const wordsOf = (text: string): string =>
    text
      .replace(/^(?:math|set|fn):/, '')
      .replace(/[\\~{}$.,;:]+/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();

  /** A text between factors: a unit (a string), or a value. */
  function textFactor(afterValue: boolean): Node | string {
    const token = peek();
    const { text } = token;
    if (text.startsWith('set:')) {
      here++;
      return namedSet(text.slice(4));
    }
    if (text.startsWith('fn:')) return functionCall();
    const math = text.startsWith('math:');
    const content = math ? text.slice(5) : text;
    const bare = wordsOf(content);
    if (math && functions.has(bare) && bare.length > 1 && !/^[A-Z]/.test(bare)) return functionCall();
    const unit = unitOf(bare) !== null && (!math || bare.length > 1 || /^[\s~]|\\/.test(content));
    if (
      afterValue &&
      (unit || (!math && !/[\d\\]/.test(content)) || (/^[\s~\\]+\S/.test(content) && /^[a-zA-Z ]+$/.test(bare)))
    )
      return units() || 'unit';
    here++;
    if (bare === '') return numberNode(whole(1));
    const tail = math ? null : trailingUnit(content.trim());
    if (tail) return { kind: 'quantity', arg: parse(tail.value, budget, depth), unit: tail.unit };
    // \text{13}, \mathrm{e}, \mathbf{x+1}: mathematics in other clothes.
    if (
      /[\d\\+=]/.test(content) ||
      (math && content.trim().length > 0 && (/^\W*\w\W*$/.test(content) || /[(^_]/.test(content)))
    ) {
      if (/^\s*\(?[A-Z]\)?\s*$/.test(content)) return math ? withSubscript(bare) : { kind: 'text', text: bare };
      const node = parse(content, budget, depth);
      return node.kind === 'symbol' ? withSubscript(node.name) : node;
    }
    if (math) return withSubscript(bare.replaceAll(' ', ''));
    return { kind: 'text', text: bare };
  }

  function namedSet(name: string): Node {
    let full = name;
    if ((isSign('^') || isSign('_')) && (peek(1).type === 'sign' || peek(1).type === 'number')) {
      const raw = scriptText(peek().text === '^' ? '^' : '_');
      if (/[+*-]/.test(raw)) full += raw.replace('*', '+');
    }
    return { kind: 'namedSet', name: full };
  }

  // Powers

  function power(): Node {
    let node = atom();
    let steps = 0;
    for (;;) {
      const token = peek();
      if (token.type !== 'sign') return node;
      if (token.text === '^') {
        here++;
        if (accept('°')) {
          node = { kind: 'degree', arg: node };
          continue;
        }
        if (accept("'")) {
          node = primed(node);
          continue;
        }
        const exponent =
          isSign('{') || isSign('⦃') ? scriptGroup() : isSign('-') || isSign('+') ? scriptSign() : scriptAtom();
        if (exponent === null) continue;
        // x^2_i is x_i squared.
        if (isSign('_') && node.kind === 'symbol' && !node.name.includes('_')) node = withSubscript(node.name);
        if (exponent.kind === 'degree') node = { kind: 'degree', arg: node };
        else if (
          exponent.kind === 'symbol' &&
          (exponent.name === 'T' || exponent.name === 'top') &&
          node.kind === 'matrix'
        )
          node = call('transpose', node);
        else if (exponent.kind === 'text') continue;
        else node = { kind: 'pow', base: node, exponent };
      } else if (token.text === '!') {
        here++;
        node = accept('!') ? call('doubleFactorial', node) : call('factorial', node);
      } else if (token.text === '%') {
        here++;
        node = { kind: 'percent', arg: node };
      } else if (token.text === '°') {
        here++;
        if (peek().type === 'letter' && (peek().text === 'C' || peek().text === 'F') && !peek().space) {
          node = { kind: 'quantity', arg: node, unit: peek().text === 'C' ? 'celsius' : 'fahrenheit' };
          here++;
        } else node = { kind: 'degree', arg: node };
      } else if (token.text === "'" || token.text === "''") {
        here++;
        if (node.kind === 'degree') continue;
        node = primed(node);
      } else if (token.text === '_') {
        // A subscript of something that has no name: 204_5 was read as a number in another base before.
        const raw = scriptText('_');
        node = node.kind === 'symbol' ? symbol(`${node.name}_${raw}`) : node;
      } else return node;
      if (++steps > budget.limits.depth) overBudget('depth');
    }
  }

  const primed = (node: Node): Node =>
    node.kind === 'symbol'
      ? applied(`${node.name}'`)
      : node.kind === 'apply'
        ? { ...node, name: `${node.name}'` }
        : node;

  /** The exponent in braces; null where it is only a sign, as in 3^{-}. */
  function scriptGroup(): Node | null {
    const open = peek().text;
    const close = closing[open]!;
    if ((isSign('-', 1) || isSign('+', 1)) && isSign(close, 2)) {
      limitSide = isSign('-', 1) ? -1 : 1;
      here += 3;
      return null;
    }
    if (isSign('°', 1)) {
      here += 2;
      if (!accept(close)) stop(`'${close}'`);
      return { kind: 'degree', arg: numberNode(zero) };
    }
    if (isSign("'", 1) || isSign("''", 1)) {
      while (!isSign(close) && peek().type !== 'end') here++;
      expect(close);
      return { kind: 'text', text: "'" };
    }
    if (isSign(close, 1)) {
      here += 2;
      return null;
    }
    return group();
  }

  function scriptSign(): Node | null {
    const minus = isSign('-');
    here++;
    const { type } = peek();
    if (type !== 'number' && type !== 'letter' && !isSign('(') && !isSign('{') && !isSign('∞') && type !== 'command') {
      limitSide = minus ? -1 : 1;
      return null;
    }
    const arg = scriptAtom();
    return minus ? { kind: 'neg', arg } : arg;
  }

  function scriptAtom(powers = true): Node {
    return deeper(() => {
      const token = peek();
      let base: Node;
      if (token.type === 'number' && /^\d/.test(token.text)) {
        here++;
        base = token.number!;
      } else if (token.type === 'letter') {
        here++;
        base = symbol(token.text);
      } else base = atom();
      // Right associative: 2^3^4.
      if (
        !powers ||
        !isSign('^') ||
        (!isSign('^', 1) && peek(1).type !== 'number' && peek(1).type !== 'letter' && !isSign('(', 1))
      )
        return base;
      here++;
      return { kind: 'pow', base, exponent: scriptAtom() };
    });
  }

  /** The raw text of a sub- or superscript, without white space and braces. */
  function scriptText(mark: string): string {
    expect(mark);
    const token = peek();
    if (isSign('{')) {
      const start = token.end;
      let open = 0;
      do {
        if (peek().type === 'end') stop("'}'");
        if (isSign('{')) open++;
        else if (isSign('}')) open--;
        here++;
      } while (open > 0);
      return source.slice(start, tokens[here - 1]!.at).replace(/\\(?:text|mathrm|mathit|rm)\b|[\s{}]/g, '');
    }
    if (token.type === 'end') stop('a subscript');
    here++;
    if (token.type === 'letter' && letters.has(token.text) && token.text.length > 1) return `\\${token.text}`;
    return source.slice(token.at, token.end).replace(/[\s{}]/g, '');
  }

  /** A name with what stands below it, and its arguments if it is a function. */
  function withSubscript(name: string): Node {
    if (!isSign('_')) return applied(name);
    const below = scriptText('_');
    return applied(below === '' ? name : below.length === 1 ? `${name}_${below}` : `${name}_{${below}}`);
  }

  /** `f(x)` where f is a function rather than a factor. */
  function applied(name: string): Node {
    if (!isSign('(') || peek().space) return symbol(name);
    const base = name.replace(/[_'].*$/, '');
    const single = (peek(1).type === 'letter' || peek(1).type === 'number') && isSign(')', 2);
    const known =
      name.endsWith("'") ||
      alwaysApplied.has(base) ||
      ((/^[A-Z]$/.test(base) || 'uvyprs'.includes(base)) && (single || commaInside())) ||
      (single && isSign('=', 3));
    if (!known) return symbol(name);
    const args = bracketed();
    return { kind: 'apply', name, args };
  }

  function commaInside(): boolean {
    let open = 0;
    for (let at = here; at < tokens.length && at < here + 40; at++) {
      const token = tokens[at]!;
      if (token.type !== 'sign') continue;
      if (token.text === '(') open++;
      else if (token.text === ')' && --open === 0) return false;
      else if (token.text === ',' && open === 1) return true;
    }
    return false;
  }

  /** Arguments in any kind of brackets. */
  function bracketed(): readonly Node[] {
    return deeper(() => {
      const open = peek().text;
      here++;
      const [outerBars, outerBuilders] = [bars, builders];
      bars = 0;
      builders = 0;
      const { items } = sequence();
      expect(closing[open] ?? ')');
      bars = outerBars;
      builders = outerBuilders;
      return items;
    });
  }

  // Atoms

  function atom(): Node {
    enter();
    const node = atomWithin();
    depth--;
    return node;
  }

  function atomWithin(): Node {
    spend(budget);
    const token = peek();
    switch (token.type) {
      case 'number':
        here++;
        return afterNumber(token);
      case 'letter':
        return letter(token);
      case 'function':
        return functionCall();
      case 'text': {
        const node = textFactor(false);
        return typeof node === 'string' ? ({ kind: 'text', text: node } as const) : node;
      }
      case 'unit':
        // A currency before its amount: €5.
        here++;
        if (peek().type === 'number') return { kind: 'quantity', arg: atom(), unit: token.text } as const;
        return stop('an amount');
      case 'command':
        return command(token);
      case 'sign':
        return signAtom(token);
      default:
        return stop('a value');
    }
  }

  function afterNumber(token: Token): Node {
    const node = token.number!;
    if (isSign('_') && /^\d+$/.test(token.text)) {
      const below = scriptText('_').replace(/^\\?(?:text|mathrm)?\{?|\}$/g, '');
      const base = baseWords[below.toLowerCase()] ?? Number(below);
      if (Number.isInteger(base) && base >= 2 && base <= 36) return { kind: 'based', digits: token.text, base };
      return stop('a base from 2 to 36');
    }
    if (node.decimals !== null || node.value.d !== 1n) return node;
    // 1\frac{1}{2} and 1 1/2 are one and a half; 2½ too.
    if (peek().type === 'command' && /^[dtc]?frac$/.test(peek().text)) {
      const start = here;
      const fraction = plainFraction();
      if (fraction) return { kind: 'add', args: [node, fraction] };
      here = start;
    } else if (
      peek().type === 'number' &&
      peek().number!.value.d !== 1n &&
      peek().number!.decimals === null &&
      vulgar(peek().text)
    ) {
      const next = peek().number!;
      here++;
      return { kind: 'add', args: [node, next] };
    } else if (
      peek().type === 'number' &&
      peek().space &&
      isSign('/', 1) &&
      peek(2).type === 'number' &&
      !peek(1).space &&
      !peek(2).space
    ) {
      const [over, under] = [peek().number!, peek(2).number!];
      if (over.decimals === null && under.decimals === null && under.value.n > over.value.n && over.value.n > 0n) {
        here += 3;
        return { kind: 'add', args: [node, { kind: 'div', over, under }] };
      }
    }
    return node;
  }

  const vulgar = (text: string): boolean => text.length === 1 && !/\d/.test(text);

  /** `\frac` of two positive whole numbers, less than one; null for any other. */
  function plainFraction(): Node | null {
    here++;
    const part = (): bigint | null => {
      if (isSign('{') && peek(1).type === 'number' && isSign('}', 2) && /^\d+$/.test(peek(1).text)) {
        here += 3;
        return BigInt(peek(-2).text);
      }
      if (peek().type === 'number' && /^\d+$/.test(peek().text)) {
        const digit = splitDigit();
        return BigInt(digit);
      }
      return null;
    };
    const before = tokens.slice(here, here + 2);
    const at = here;
    const over = part();
    const under = over === null ? null : part();
    if (over === null || under === null || under === 0n || over >= under) {
      tokens.splice(at, 0);
      before.forEach((token, i) => (tokens[at + i] = token));
      return null;
    }
    return { kind: 'div', over: numberNode(whole(over)), under: numberNode(whole(under)) };
  }

  /** Takes the first digit of the number here and leaves the rest: `\frac12` has two arguments. */
  function splitDigit(): string {
    const token = peek();
    const first = token.text[0]!;
    if (token.text.length === 1) here++;
    else {
      const rest = token.text.slice(1);
      tokens[here] = { ...token, text: rest, at: token.at + 1, number: decimalNumber(rest.replace(/[^\d.eE+-]/g, '')) };
    }
    return first;
  }

  function letter(token: Token): Node {
    // The end of an integral: dx.
    if (token.text === 'd' && integrals.length > 0 && peek(1).type === 'letter' && !peek(1).space) {
      const open = integrals.at(-1)!;
      if (open.variable === null) {
        here++;
        open.variable = peek().text;
        here++;
        if (isSign('_')) scriptText('_');
        return numberNode(whole(1));
      }
    }
    here++;
    return withSubscript(token.text);
  }

  function functionCall(): Node {
    const token = peek();
    here++;
    const raw = token.type === 'text' ? wordsOf(token.text) : token.text;
    const name = functions.get(raw) ?? raw;
    if (token.type === 'text' && !functions.has(raw)) {
      if (isSign('(')) return { kind: 'apply', name: raw, args: bracketed() };
      return withSubscript(raw);
    }
    let base: Node | null = null;
    let exponent: Node | null = null;
    for (;;) {
      if (isSign('_') && base === null) {
        here++;
        base = isSign('{') ? group() : scriptAtom(false);
      } else if (isSign('^') && exponent === null) {
        here++;
        exponent =
          isSign('{') || isSign('⦃') ? scriptGroup() : isSign('-') || isSign('+') ? scriptSign() : scriptAtom(false);
        if (exponent === null) break;
      } else break;
    }
    const args = functionArguments(name);
    let meant = name;
    if (
      exponent?.kind === 'neg' &&
      exponent.arg.kind === 'number' &&
      exponent.arg.value.n === 1n &&
      exponent.arg.value.d === 1n &&
      inverses[name] !== undefined
    ) {
      meant = inverses[name]!;
      exponent = null;
    }
    const ten = numberNode(whole(10));
    const node: Node =
      meant === 'log'
        ? call('log', args[0]!, base ?? ten)
        : meant === 'lg'
          ? call('log', args[0]!, base ?? ten)
          : meant === 'cbrt'
            ? call('root', args[0]!, numberNode(whole(3)))
            : meant === 'exp'
              ? { kind: 'pow', base: symbol('e'), exponent: args[0]! }
              : meant === 'Gamma' && args.length === 1
                ? call('gamma', args[0]!)
                : { kind: 'call', name: meant, args };
    return exponent ? { kind: 'pow', base: node, exponent } : node;
  }

  function functionArguments(name: string): readonly Node[] {
    if (isSign('(') || isSign('[') || isSign('⦃')) {
      const args = bracketed();
      if (args.length === 0) stop('an argument');
      return args;
    }
    if (isSign('{')) {
      const args = bracketed();
      if (args.length === 0) stop('an argument');
      return args;
    }
    if (!bareArgument.has(name)) stop('an argument');
    // sin 2x: factors up to the next function.
    return deeper(() => {
      const minus = accept('-');
      let left = power();
      let plain = left.kind === 'number' || (left.kind === 'constant' && left.name === 'pi');
      while (startsFactor() && peek().type !== 'function' && peek().type !== 'text' && !isSign('∑') && !isSign('∫')) {
        if (isSign('(') || isSign('[') || isSign('⦃')) {
          if (!plain) break;
        } else if (peek().type !== 'number' && !isSign('π')) plain = false;
        if (integrals.length > 0 && peek().text === 'd' && peek(1).type === 'letter') break;
        spend(budget);
        left = multiply(left, power());
      }
      return [minus ? { kind: 'neg', arg: left } : left];
    });
  }

  /** An argument of a command: a group, a digit, or what stands next. */
  function argument(): Node {
    if (isSign('{')) return group();
    if (peek().type === 'number' && /^\d/.test(peek().text)) return numberNode(whole(BigInt(splitDigit())));
    return deeper(() => (peek().type === 'letter' ? (here++, symbol(tokens[here - 1]!.text)) : atom()));
  }

  /** `{ … }`: one value, or several that make a set. */
  function group(several: 'set' | 'list' = 'set'): Node {
    return deeper(() => {
      expect('{');
      const [outerBars, outerBuilders] = [bars, builders];
      bars = 0;
      builders = 0;
      const found = sequence();
      expect('}');
      bars = outerBars;
      builders = outerBuilders;
      if (found.items.length === 0) return stop('something between braces');
      return found.items.length === 1
        ? found.items[0]!
        : several === 'list'
          ? joined(found)
          : { kind: 'set', items: found.items };
    });
  }

  function command(token: Token): Node {
    const { text } = token;
    here++;
    switch (text) {
      case 'frac':
      case 'dfrac':
      case 'tfrac':
      case 'cfrac':
      case 'sfrac': {
        const found = derivative();
        if (found) return found;
        const over = argument();
        return { kind: 'div', over, under: argument() };
      }
      case 'sqrt': {
        let degree: Node | null = null;
        if (isSign('[')) {
          here++;
          degree = sum();
          expect(']');
        }
        const arg = isSign('{') ? group() : isSign('(') ? bracketed()[0] : atom();
        if (!arg) return stop('an argument');
        return degree ? call('root', arg, degree) : call('sqrt', arg);
      }
      case 'root': {
        const degree = atom();
        if (peek().type === 'letter') here++;
        return call('root', atom(), degree);
      }
      case 'binom':
      case 'dbinom':
      case 'tbinom': {
        const top = argument();
        return call('binomial', top, argument());
      }
      case 'boxed':
      case 'fbox':
        return isSign('{') ? group('list') : atom();
      case 'sum':
      case 'prod':
        return big(text === 'sum' ? 'sum' : 'product');
      case 'int':
      case 'iint':
      case 'oint':
        return integral();
      case 'lim':
      case 'limsup':
      case 'liminf':
        return limit();
      case 'stackrel':
      case 'substack':
      case 'displaylines':
        return group();
      case 'not':
        return stop('a relation after \\not');
    }
    if (text.startsWith('begin ')) return environment(text.slice(6));
    const accent = accents[text];
    if (accent !== undefined) {
      if (text === 'overset') argument();
      const start = peek().at;
      let name: string;
      if (isSign('{')) {
        name = scriptSource();
      } else {
        here++;
        name = source.slice(start, tokens[here - 1]!.end);
      }
      name = name.replace(/\\(?:mathrm|mathbf|text|rm)\b|[\s{}]/g, '').replace(/^\\/, '');
      if (name === '') stop('a letter under the accent');
      return withSubscript(accent === '' ? name : `${accent}{${name}}`);
    }
    return stop('a value');
  }

  /** The text between the braces here, which are consumed. */
  function scriptSource(): string {
    let open = 0;
    const start = peek().end;
    do {
      if (peek().type === 'end') stop("'}'");
      if (isSign('{')) open++;
      else if (isSign('}')) open--;
      here++;
    } while (open > 0);
    return source.slice(start, tokens[here - 1]!.at);
  }

  /** After `\frac`: `{d}{dx} f`, `{dy}{dx}`; null for anything else. */
  function derivative(): Node | null {
    const isD = (token: Token): boolean => token.type === 'letter' && (token.text === 'd' || token.text === 'partial');
    if (!isSign('{') || !isD(peek(1))) return null;
    let at = 2;
    let order = 1;
    let name: string | null = null;
    if (isSign('^', at) && peek(at + 1).type === 'number') {
      order = Number(peek(at + 1).text);
      at += 2;
    }
    if (peek(at).type === 'letter') name = peek(at++).text;
    if (!isSign('}', at) || !isSign('{', at + 1) || !isD(peek(at + 2)) || peek(at + 3).type !== 'letter') return null;
    const variable = peek(at + 3).text;
    at += 4;
    if (isSign('^', at) && peek(at + 1).type === 'number') at += 2;
    if (!isSign('}', at)) return null;
    here += at + 1;
    if (name !== null) return symbol(`d${order > 1 ? order : ''}${name}/d${variable}`);
    if (order < 1 || order > 4) stop('an order from 1 to 4');
    const body = product();
    return { kind: 'big', op: 'derivative', variable, body, from: null, to: numberNode(whole(order)) };
  }

  interface Scripts {
    readonly below: Node | null;
    readonly above: Node | null;
  }

  function scripts(): Scripts {
    let below: Node | null = null;
    let above: Node | null = null;
    for (;;) {
      if (isSign('_')) {
        here++;
        below = isSign('{') ? emptyOr(() => groupStatement()) : scriptAtom(false);
      } else if (isSign('^')) {
        here++;
        above = isSign('{') ? emptyOr(() => groupStatement()) : isSign('-') ? scriptSign() : scriptAtom(false);
      } else return { below, above };
    }
  }

  function emptyOr(read: () => Node): Node | null {
    if (isSign('}', 1)) {
      here += 2;
      return null;
    }
    return read();
  }

  function groupStatement(): Node {
    return deeper(() => {
      expect('{');
      const outer = bars;
      bars = 0;
      const found = joined(sequence());
      expect('}');
      bars = outer;
      return found ?? stop('a bound');
    });
  }

  function big(op: 'sum' | 'product'): Node {
    const { below, above } = scripts();
    const body = product();
    if (
      below?.kind === 'relation' &&
      below.ops.length === 1 &&
      below.ops[0] === '=' &&
      below.terms[0]!.kind === 'symbol'
    )
      return { kind: 'big', op, variable: below.terms[0]!.name, body, from: below.terms[1]!, to: above };
    return { kind: 'big', op, variable: '', body, from: below, to: above };
  }

  function integral(): Node {
    const { below, above } = scripts();
    const open: { variable: string | null } = { variable: null };
    integrals.push(open);
    const body = sum();
    integrals.pop();
    return { kind: 'big', op: 'integral', variable: open.variable ?? '', body, from: below, to: above };
  }

  function limit(): Node {
    limitSide = null;
    const { below } = scripts();
    const side = limitSide as 1 | -1 | null;
    const body = product();
    if (below?.kind === 'relation' && below.terms.length === 2 && below.terms[0]!.kind === 'symbol')
      return {
        kind: 'big',
        op: 'limit',
        variable: below.terms[0]!.name,
        body,
        from: below.terms[1]!,
        to: side === null ? null : numberNode(whole(side)),
      };
    return { kind: 'big', op: 'limit', variable: '', body, from: below, to: null };
  }

  function environment(name: string): Node {
    return deeper(() => {
      const plain = name.replace('*', '');
      if (plain === 'array' || plain === 'tabular' || plain === 'alignedat') if (isSign('{')) scriptSource();
      if (isSign('[') && (peek(1).text === 't' || peek(1).text === 'b' || peek(1).text === 'c') && isSign(']', 2))
        here += 3;
      const rows: { cells: Node[]; when: Node | null; conditional: boolean }[] = [];
      let row: { cells: Node[]; when: Node | null; conditional: boolean } = {
        cells: [],
        when: null,
        conditional: false,
      };
      const isEnd = (): boolean =>
        peek().type === 'end' || (peek().type === 'command' && peek().text.startsWith('end '));
      const [outerBars, outerBuilders] = [bars, builders];
      bars = 0;
      builders = 0;
      while (!isEnd()) {
        spend(budget);
        if (accept('&')) continue;
        if (accept('\\\\')) {
          if (isSign('[') && peek(1).type === 'number') while (peek().type !== 'end' && !accept(']')) here++; // \\[2pt]
          if (row.cells.length > 0) rows.push(row);
          row = { cells: [], when: null, conditional: false };
          continue;
        }
        if (accept(',') || accept(';')) continue;
        if (peek().type === 'text' && conditionWords.test(peek().text.trim())) {
          row.conditional = true;
          const rest = peek().text.trim().replace(conditionWords, '').trim();
          here++;
          if (/[<>=\\\d]/.test(rest)) row.when = parse(rest, budget, depth);
          continue;
        }
        const node = statement();
        if (
          row.cells.length > 0 &&
          (row.conditional || node.kind === 'relation') &&
          (plain === 'cases' || plain === 'array' || plain === 'aligned') &&
          row.cells[0]!.kind !== 'relation'
        ) {
          row.when = row.when ?? node;
          row.conditional = true;
        } else row.cells.push(node);
        if (!isEnd() && !isSign('&') && !isSign('\\\\') && !isSign(',') && !isSign(';') && peek().type !== 'text')
          stop("'&' or a new line");
      }
      if (row.cells.length > 0) rows.push(row);
      if (peek().type === 'end') stop(`\\end{${name}}`);
      here++;
      bars = outerBars;
      builders = outerBuilders;
      if (rows.length === 0) return stop('a row');
      if (rows.some(({ conditional }) => conditional))
        return { kind: 'piecewise', cases: rows.map(({ cells, when }) => ({ value: cells[0]!, when })) };
      if (
        /^(?:cases|align|aligned|gather|gathered|equation|split|eqnarray|alignat|alignedat)$/.test(plain) ||
        rows.every(({ cells }) => cells.every(cell => cell.kind === 'relation'))
      ) {
        const items = rows.flatMap(({ cells }) => cells);
        return items.length === 1 ? items[0]! : { kind: 'list', items };
      }
      const width = rows[0]!.cells.length;
      if (rows.some(({ cells }) => cells.length !== width)) return stop('rows of equal length');
      const matrix: Node = { kind: 'matrix', rows: rows.map(({ cells }) => cells) };
      return plain === 'vmatrix' ? call('det', matrix) : plain === 'Vmatrix' ? call('norm', matrix) : matrix;
    });
  }

  function signAtom(token: Token): Node {
    const { text } = token;
    switch (text) {
      case '{':
        return group();
      case '(':
      case '[':
        return brackets();
      case '⟨': {
        const items = bracketed();
        return { kind: 'tuple', open: '(', close: ')', items };
      }
      case '⦃':
        return braces();
      case '|':
      case '⎸':
      case '‖':
        return absolute(token);
      case '⌊':
      case '⌈': {
        here++;
        const arg = sum();
        if (!accept(text === '⌊' ? '⌋' : '⌉')) stop(`the end of '${text}'`);
        return call(text === '⌊' ? 'floor' : 'ceil', arg);
      }
      case 'π':
        here++;
        return { kind: 'constant', name: 'pi' };
      case '∞':
        here++;
        return { kind: 'constant', name: 'infinity' };
      case '∅':
        here++;
        return { kind: 'namedSet', name: '∅' };
      case '√':
      case '∛': {
        here++;
        const arg = isSign('(') ? bracketed()[0] : power();
        if (!arg) return stop('an argument');
        return text === '√' ? call('sqrt', arg) : call('root', arg, numberNode(whole(3)));
      }
      case '∑':
        here++;
        return big('sum');
      case '∏':
        here++;
        return big('product');
      case '∫':
        here++;
        return integral();
      case '…':
        here++;
        return symbol('…');
      case 'ℕ':
      case 'ℤ':
      case 'ℚ':
      case 'ℝ':
      case 'ℂ':
        here++;
        return namedSet('NZQRC'['ℕℤℚℝℂ'.indexOf(text)]!);
      case '\\\\':
      case '?':
      case '&':
        here++;
        return atom();
      default:
        return stop('a value');
    }
  }

  function brackets(): Node {
    return deeper(() => {
      const open = peek().text as '(' | '[';
      here++;
      const [outerBars, outerBuilders] = [bars, builders];
      bars = 0;
      builders = 0;
      const found = sequence();
      bars = outerBars;
      builders = outerBuilders;
      const close = isSign(')') ? ')' : isSign(']') ? ']' : stop(`'${closing[open]}'`);
      here++;
      const { items } = found;
      if (items.length === 0) return stop('something between brackets');
      if (items.length === 1) return items[0]!;
      return { kind: 'tuple', open, close, items };
    });
  }

  function braces(): Node {
    return deeper(() => {
      here++;
      // \left\{ \begin{array} … \right. has no end.
      if (peek().type === 'command' && peek().text.startsWith('begin ')) {
        const inner = power();
        if (!accept('⦄')) return inner;
        return inner;
      }
      if (accept('⦄')) return { kind: 'namedSet', name: '∅' };
      const outerBars = bars;
      bars = 0;
      builders++;
      const first = sequence();
      builders--;
      if (isSign('|') || isSign(':')) {
        here++;
        const outer = builders;
        builders = 0;
        const condition = joined(sequence());
        builders = outer;
        bars = outerBars;
        expect('⦄');
        if (first.items.length === 0 || !condition) return stop('a set');
        return { kind: 'builder', element: joined(first), condition };
      }
      bars = outerBars;
      if (!accept('⦄') && !accept('}')) stop("'}'");
      if (first.items.length === 0) return { kind: 'namedSet', name: '∅' };
      // \{a+b\}\{c\} are brackets of a product.
      if (first.items.length === 1 && (isSign('⦃') || isSign('^') || isSign('*') || (here > 1 && productBefore())))
        return first.items[0]!;
      return { kind: 'set', items: first.items };
    });
  }

  /** Whether the closing brace just read ends a group that follows another one. */
  function productBefore(): boolean {
    let open = 0;
    for (let at = here - 1; at >= 0; at--) {
      const { type, text } = tokens[at]!;
      if (type !== 'sign') continue;
      if (text === '⦄') open++;
      else if (text === '⦃' && --open === 0) {
        const before = tokens[at - 1];
        return (
          before !== undefined &&
          before.type === 'sign' &&
          (before.text === '⦄' || before.text === '*' || before.text === '∫')
        );
      }
    }
    return false;
  }

  function absolute(token: Token): Node {
    return deeper(() => {
      here++;
      const double = token.text === '‖';
      bars++;
      const outerBuilders = builders;
      builders = 0;
      const { items } = sequenceInBars();
      builders = outerBuilders;
      bars--;
      if (!(accept('|') || accept('⎹') || accept('‖'))) stop("'|'");
      const inner = items[0] ?? stop('something between bars');
      return inner.kind === 'matrix' && !double ? call('det', inner) : call(double ? 'norm' : 'abs', inner);
    });
  }

  function sequenceInBars(): Sequence {
    return { items: [sum()], marks: [] };
  }

  const { items, marks } = sequence();
  if (peek().type !== 'end') stop('the end of the answer');
  if (items.length === 0) stop('a value');
  return joined({ items, marks });
}

const baseWords: Readonly<Record<string, number>> = {
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
};
