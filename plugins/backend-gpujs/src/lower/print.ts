/** Writes a cell kernel as the text of a gpu.js function. Whole numbers are computed exactly in every mode, see `wholePart`. */

import type { Value } from '@heddle/core';
import { arraysOf, partsOf, type CellKernel, type Expression } from './cell.js';
import { range, type Atom, type Index } from './index-of.js';

export interface Printed {
  readonly text: string;
  /** The arguments, in order. */
  readonly reads: readonly Value[];
}

export function printCells(kernel: CellKernel): Printed {
  const reads = arraysOf(kernel);
  const writer = new Writer(new Map(reads.map((v, i) => [v, `a${i}`])));
  const top = new Scope(null, false);
  top.lines.push('const x = this.thread.x;');
  const { reduction, result } = kernel;
  if (reduction) {
    const { kind, step, segment, body } = reduction;
    const loop = new Scope(top, true);
    let count = String(step.below);
    let from = '';
    if (segment) {
      const starts = writer.array(segment.starts);
      const row = writer.place(segment.at, top);
      top.lines.push(`const first = ${starts}[${row}];`, `const many = ${starts}[${row} + 1] - first;`);
      [count, from] = ['many', 'first + '];
    }
    loop.lines.push(`const k = ${from}step;`);
    const term = writer.value(body, loop);
    top.lines.push(`let total = ${kind === 'sum' ? '0' : '-3.4028234663852886e38'};`);
    // NaN is larger than all, as in the definition.
    const fold =
      kind === 'sum'
        ? [`total += ${term};`]
        : [`const next = ${term};`, 'if (next > total || next !== next) { total = next; }'];
    top.lines.push(`for (let step = 0; step < ${count}; step++) {`, ...[...loop.lines, ...fold].map(indent), '}');
  }
  const value = writer.value(result, top);
  return {
    text: [
      `function (${reads.map((_, i) => `a${i}`).join(', ')}) {`,
      ...[...top.lines, `return ${value};`].map(indent),
      '}',
    ].join('\n'),
    reads,
  };
}

const indent = (line: string): string => `  ${line}`;

/** Statements of one block, and what they have computed. */
class Scope {
  readonly lines: string[] = [];
  readonly names = new Map<string, string>();
  readonly parent: Scope | null;
  readonly isLoop: boolean;

  constructor(parent: Scope | null, isLoop: boolean) {
    this.parent = parent;
    this.isLoop = isLoop;
  }

  find(key: string): string | undefined {
    return this.names.get(key) ?? this.parent?.find(key);
  }
}

class Writer {
  readonly #arrays: ReadonlyMap<Value, string>;
  readonly #stepped = new Map<string, boolean>();
  #count = 0;

  constructor(arrays: ReadonlyMap<Value, string>) {
    this.#arrays = arrays;
  }

  array(v: Value): string {
    return this.#arrays.get(v)!;
  }

  /** A name or a number that stands for the expression in this block. */
  value(e: Expression, scope: Scope): string {
    if (e.kind === 'number') return literal(e.value);
    if (e.kind === 'total') return 'total';
    const known = scope.find(e.key);
    if (known !== undefined) return known;
    // What does not change from step to step is computed before the loop.
    const home = scope.isLoop && !this.#changes(e) ? scope.parent! : scope;
    if (e.kind === 'place') return this.place(e.at, home);
    const text = e.kind === 'within' ? this.#within(e, home) : this.#text(e, home);
    const name = e.kind === 'within' ? text : this.#name(text, home);
    home.names.set(e.key, name);
    return name;
  }

  #name(text: string, scope: Scope): string {
    const name = `t${this.#count++}`;
    scope.lines.push(`const ${name} = ${text};`);
    return name;
  }

  #within(e: Extract<Expression, { readonly kind: 'within' }>, scope: Scope): string {
    const at = this.place(e.at, scope);
    const [lowest, highest] = range(e.at);
    const tests = [
      ...(lowest < e.low ? [`${at} >= ${e.low}`] : []),
      ...(highest >= e.high ? [`${at} < ${e.high}`] : []),
    ];
    if (tests.length === 0) return this.value(e.yes, scope);
    const name = `t${this.#count++}`;
    const [yes, no] = [new Scope(scope, false), new Scope(scope, false)];
    yes.lines.push(`${name} = ${this.value(e.yes, yes)};`);
    no.lines.push(`${name} = ${this.value(e.no, no)};`);
    scope.lines.push(
      `let ${name} = 0;`,
      `if (${tests.join(' && ')}) {`,
      ...yes.lines.map(indent),
      '} else {',
      ...no.lines.map(indent),
      '}',
    );
    return name;
  }

  #text(e: Expression, scope: Scope): string {
    if (e.kind === 'load') return `${this.array(e.from)}[${this.place(e.at, scope)}]`;
    if (e.kind !== 'apply') throw new TypeError(`no text for ${e.kind}`);
    if (e.fn === 'where') {
      const test = this.#test(e.args[0]!, scope);
      return `${test} ? ${this.value(e.args[1]!, scope)} : ${this.value(e.args[2]!, scope)}`;
    }
    const [a = '', b = ''] = e.args.map(arg => this.value(arg, scope));
    switch (e.fn) {
      case 'add':
        return `${a} + ${b}`;
      case 'sub':
        return `${a} - ${b}`;
      case 'mul':
        return `${a} * ${b}`;
      case 'div':
        return `${a} / ${b}`;
      case 'less':
      case 'equal':
      case 'isNotZero':
        return `${this.#test(e, scope)} ? 1 : 0`;
      case 'truncate':
        return `${a} < 0 ? Math.ceil(${a}) : Math.floor(${a})`;
      case 'wholeDiv': {
        // Half a unit keeps a quotient that is a little off on the right side of the whole number.
        const size = this.#name(`Math.floor((Math.abs(${a}) + 0.5) / Math.abs(${b}))`, scope);
        return `${a} * ${b} < 0 ? -${size} : ${size}`;
      }
      case 'tanh': // beyond 15 it is 1 in float32, and some drivers overflow there
        return `Math.tanh(Math.max(-15, Math.min(15, ${a})))`;
      case 'sin':
        return this.#sine(a, 0, scope);
      case 'cos':
        return this.#sine(a, 1, scope);
      case 'erf':
        return this.#erf(a, scope);
      default:
        return `Math.${e.fn}(${a})`;
    }
  }

  /**
   * Sine, or cosine with a quarter turn ahead, to 1e-7: WGSL promises 2^-11 only. The angle is brought to within an
   * eighth of a turn with pi / 2 in three pieces (Cody and Waite 1980), then Taylor's series.
   */
  #sine(v: string, ahead: number, scope: Scope): string {
    const name = (words: string): string => this.#name(words, scope);
    const turns = name(`Math.floor(${v} * ${2 / Math.PI} + 0.5)`);
    const r = name(`${v} - ${turns} * 1.5703125 - ${turns} * 0.0004837512969970703 - ${turns} * 7.549789948768648e-8`);
    const quarter = ahead === 0 ? turns : name(`${turns} + ${ahead}`);
    const q = name(`${quarter} - 4 * Math.floor(${quarter} * 0.25)`);
    const s = name(`${r} * ${r}`);
    const sine = name(`${r} * ${horner(s, [1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880])}`);
    const cosine = name(horner(s, [1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320]));
    const odd = name(`${q} - 2 * Math.floor(${q} * 0.5)`);
    const size = name(`${odd} < 0.5 ? ${sine} : ${cosine}`);
    return `${q} < 1.5 ? ${size} : -${size}`;
  }

  /**
   * The error function to 2e-7: its Maclaurin series below 1/2, and the rational form beyond (Abramowitz and Stegun,
   * 7.1.5 and 7.1.26). Written out, for gpu.js does not vectorise calls.
   */
  #erf(v: string, scope: Scope): string {
    const name = (words: string): string => this.#name(words, scope);
    const s = name(`${v} * ${v}`);
    const near = name(
      `${2 / Math.sqrt(Math.PI)} * ${v} * ${horner(s, [1, -1 / 3, 1 / 10, -1 / 42, 1 / 216, -1 / 1320])}`,
    );
    const u = name(`Math.abs(${v})`);
    const t = name(`1 / (1 + 0.3275911 * ${u})`);
    const series = horner(t, [0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429]);
    const far = name(`1 - ${t} * ${series} * Math.exp(-${s})`);
    return `${u} < 0.5 ? ${near} : (${v} < 0 ? -${far} : ${far})`;
  }

  #test(e: Expression, scope: Scope): string {
    if (e.kind !== 'apply' || scope.find(e.key) !== undefined) return `${this.value(e, scope)} !== 0`;
    const [a, b] = e.args;
    if (e.fn === 'less') return `${this.value(a!, scope)} < ${this.value(b!, scope)}`;
    if (e.fn === 'equal') return `${this.value(a!, scope)} === ${this.value(b!, scope)}`;
    if (e.fn === 'isNotZero') return `${this.value(a!, scope)} !== 0`;
    return `${this.value(e, scope)} !== 0`;
  }

  /** Text of a whole number. */
  place(at: Index, scope: Scope): string {
    const parts = at.terms.map(({ factor, atom }) => {
      const name = this.#atom(atom, scope);
      return factor === 1 ? name : `${name} * ${factor}`;
    });
    if (at.offset !== 0 || parts.length === 0) parts.push(String(at.offset));
    const text = parts.join(' + ').replaceAll('+ -', '- ');
    return parts.length === 1 ? (text.includes(' ') ? `(${text})` : text) : `(${text})`;
  }

  #atom(atom: Atom, scope: Scope): string {
    if (atom.kind === 'loaded') return this.value(atom.expression as Expression, scope);
    const known = scope.find(atom.key);
    if (known !== undefined) return known;
    const home = scope.isLoop && !this.#moves(atom) ? scope.parent! : scope;
    const counter = 'name' in atom.of;
    const of = 'name' in atom.of ? atom.of.name : this.place(atom.of, home);
    let name = of;
    if (counter ? atom.divisor !== 1 || atom.modulus !== null : true) {
      const top = 'name' in atom.of ? atom.of.below : range(atom.of)[1] + 1;
      const low = 'name' in atom.of ? 0 : range(atom.of)[0];
      const base = counter || !of.includes(' ') ? of : this.#name(of, home);
      const quotient = atom.divisor === 1 ? base : this.#wholePart(base, atom.divisor, Math.max(top, -low), home);
      name = quotient;
      if (atom.modulus !== null) {
        const most = Math.ceil(Math.max(top, -low) / atom.divisor);
        name = this.#name(
          `${quotient} - ${atom.modulus} * ${this.#wholePart(quotient, atom.modulus, most, home)}`,
          home,
        );
      }
    }
    home.names.set(atom.key, name);
    return name;
  }

  /**
   * `floor(whole / d)` exactly, though a device may divide with an error of some units in the last place and counts in
   * floats: the product with 1/d is off by less than 2^-22 of itself, and half a unit is more than that below 2^21.
   */
  #wholePart(whole: string, d: number, below: number, scope: Scope): string {
    const known = scope.find(`${whole}//${d}`);
    if (known !== undefined) return known;
    let name: string;
    if (Number.isInteger(Math.log2(d))) name = this.#name(`Math.floor(${whole} * ${1 / d})`, scope);
    else if (below <= 2 ** 21) name = this.#name(`Math.floor((${whole} + 0.5) * ${1 / d})`, scope);
    else {
      const guess = this.#name(`Math.floor(${whole} * ${1 / d})`, scope);
      const rest = this.#name(`${whole} - ${guess} * ${d}`, scope);
      name = this.#name(`${rest} < 0 ? ${guess} - 1 : (${rest} < ${d} ? ${guess} : ${guess} + 1)`, scope);
    }
    scope.names.set(`${whole}//${d}`, name);
    return name;
  }

  #changes(e: Expression): boolean {
    const known = this.#stepped.get(e.key);
    if (known !== undefined) return known;
    const own =
      e.kind === 'total' ||
      (e.kind === 'load' || e.kind === 'place' || e.kind === 'within' ? this.#indexMoves(e.at) : false);
    const changes = own || partsOf(e).some(part => this.#changes(part));
    this.#stepped.set(e.key, changes);
    return changes;
  }

  #indexMoves(at: Index): boolean {
    return at.terms.some(({ atom }) => this.#moves(atom));
  }

  #moves(atom: Atom): boolean {
    if (atom.kind === 'loaded') return this.#changes(atom.expression as Expression);
    return 'name' in atom.of ? atom.of.name === 'k' : this.#indexMoves(atom.of);
  }
}

/** As float32 holds it, so that a comparison with an array's number is right where arithmetic is in double precision. */
const literal = (n: number): string => {
  const held = Math.fround(n);
  return held < 0 || Object.is(held, -0) ? `(${held})` : String(held);
};

/** A polynomial, from its lowest coefficient. */
const horner = (at: string, coefficients: readonly number[]): string =>
  coefficients.reduceRight((rest, c) => (rest === '' ? `${c}` : `(${c} + ${at} * ${rest})`), '');
