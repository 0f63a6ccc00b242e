/** Text to tokens, once from left to right. Nothing is looked at twice except to match a brace, which is done once for all. */

import { overBudget, spend, unparsed, type Budget } from '../budget.js';
import { add, divide, rational, whole, type Rational } from '../exact/rational.js';
import type { NumberNode } from '../tree.js';
import { isPlainUnit } from './units.js';
import * as vocabulary from './vocabulary.js';

export type TokenType = 'number' | 'letter' | 'function' | 'command' | 'sign' | 'text' | 'word' | 'unit' | 'end';

export interface Token {
  readonly type: TokenType;
  /** The sign, the name of the letter, function or command, the words of a text. */
  readonly text: string;
  readonly at: number;
  readonly end: number;
  /** Whether white space stands before it. */
  readonly space: boolean;
  readonly number: NumberNode | null;
  /** After `\left` or `\right`: says which of two equal signs a bar is. */
  readonly side: 'left' | 'right' | null;
}

const thousands = [
  // 1,\!234   1{,}234   1\,234   1\ 234
  /\d{1,3}(?:(?:\{,\}|,\\!\s*|,\\,|\\[,;: ]|\\!,?)\d{3})+(?:\.\d+)?(?!\d)/y,
  // 1 234 567
  /[1-9]\d{0,2}(?: \d{3}){2,}(?![\d.,])/y,
] as const;
const commaThousands = /[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?(?!\d|,\d)/y;
const plainNumber = /\d+(?:\.\d+)?|\.\d+/y;
const repeating = /(\d*)\.(\d*)(?:\\overline|\\bar|\\dot)\s*\{?(\d+)\}?(?:\\dot\s*\{?(\d)\}?)?/y;
const repeatingParentheses = /(\d*)\.(\d*)\((\d+)\)(?!\d)/y;
const scientific = /[eE][+-]?\d+(?![\d.]*[a-zA-Z(])/y;
const commandName = /[a-zA-Z]+/y;
const letterRun = /[a-zA-Z]+/y;
const skipSpace = /\s+/y;

function match(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** A decimal number as written; thousands separators are gone. */
export function decimalNumber(text: string): NumberNode {
  // Most numbers are short and whole.
  if (text.length < 16 && /^\d+$/.test(text))
    return { kind: 'number', value: whole(Number(text)), decimals: null, digits: text.length };
  const [mantissa, exponent = ''] = text.split(/[eE]/) as [string, string?];
  const point = mantissa.indexOf('.');
  const digits = mantissa.replace('.', '');
  const decimals = point < 0 ? 0 : mantissa.length - point - 1;
  const shift = Number(exponent || 0) - decimals;
  if (Math.abs(shift) > 4000) overBudget('bits');
  const n = BigInt(digits || '0');
  const value = shift >= 0 ? whole(n * 10n ** BigInt(shift)) : rational(n, 10n ** BigInt(-shift));
  const significant = digits.replace(/^0+/, '').length;
  return {
    kind: 'number',
    value,
    decimals: point < 0 && exponent === '' ? null : Math.max(0, -shift),
    digits: significant,
  };
}

/** before . fixed (period): 0.1(6) is 1/6. */
function repeatingNumber(before: string, fixed: string, period: string): NumberNode {
  const scale = 10n ** BigInt(fixed.length);
  const start = rational(BigInt(`${before}${fixed}` || '0'), scale);
  const tail: Rational = divide(rational(BigInt(period), 10n ** BigInt(period.length) - 1n), whole(scale));
  return { kind: 'number', value: add(start, tail), decimals: null, digits: 0 };
}

const knownCommand = (name: string): boolean =>
  vocabulary.signCommands[name] !== undefined ||
  vocabulary.functions.has(name) ||
  vocabulary.letters.has(name) ||
  vocabulary.textCommands.has(name) ||
  vocabulary.silentCommands.has(name) ||
  vocabulary.accents[name] !== undefined ||
  structural.has(name);

const structural = new Set(
  'frac dfrac tfrac cfrac sfrac over choose sqrt root binom dbinom tbinom left right mleft mright middle begin end boxed fbox sum prod int iint oint lim limsup liminf variable not stackrel phantom hspace vspace displaylines substack'.split(
    ' ',
  ),
);

/** Where each brace ends, -1 where it does not. One pass, so that nested texts cost nothing more. */
export function matchBraces(source: string): Int32Array {
  const ends = new Int32Array(source.length).fill(-1);
  const open: number[] = [];
  for (let at = 0; at < source.length; at++) {
    const c = source.charCodeAt(at);
    if (c === 92) at++;
    else if (c === 123) open.push(at);
    else if (c === 125 && open.length > 0) ends[open.pop()!] = at;
  }
  return ends;
}

/** @throws Stop over budget, or at a sign that means nothing in mathematics */
export function tokenize(source: string, budget: Budget): readonly Token[] {
  if (source.length > budget.limits.characters) overBudget('characters');
  let matched: Int32Array | null = null;
  const braceEnd = (open: number): number => (matched ??= matchBraces(source))[open]!;
  const tokens: Token[] = [];
  /** Within brackets a comma between digits parts them: (1,234) is a pair. */
  let brackets = 0;
  let environments = 0;
  let side: 'left' | 'right' | null = null;
  let at = 0;
  let space = false;

  const push = (type: TokenType, text: string, end: number, number: NumberNode | null = null): void => {
    // One shape for all tokens: the parser reads nothing more often.
    tokens.push({ type, text, at, end, space, number, side });
    side = null;
    space = false;
    at = end;
  };
  const sign = (text: string, end: number): void => {
    if (text === '(' || text === '[' || text === '⦃' || text === '⟨') brackets++;
    else if (text === ')' || text === ']' || text === '⦄' || text === '⟩') brackets = Math.max(0, brackets - 1);
    push('sign', text, end);
  };

  function number(): void {
    plainNumber.lastIndex = at;
    const plain = plainNumber.exec(source)![0];
    const next = source[at + plain.length];
    // Only what stands behind the digits can make them part of something longer.
    if (next === ',' || next === '{' || next === '\\' || next === ' ') {
      for (const pattern of thousands) {
        const found = match(pattern, source, at);
        if (found)
          return push('number', found[0], at + found[0].length, decimalNumber(found[0].replace(/[^\d.]/g, '')));
      }
      const found = brackets === 0 && next === ',' ? match(commaThousands, source, at) : null;
      if (found) return push('number', found[0], at + found[0].length, decimalNumber(found[0].replaceAll(',', '')));
    }
    if (next === '.' || next === '\\' || next === '(') {
      const cycle = match(repeating, source, at) ?? match(repeatingParentheses, source, at);
      if (cycle) {
        const value = repeatingNumber(cycle[1]!, cycle[2]!, `${cycle[3]!}${cycle[4] ?? ''}`);
        return push('number', cycle[0], at + cycle[0].length, value);
      }
    }
    const power = next === 'e' || next === 'E' ? match(scientific, source, at + plain.length) : null;
    const text = power ? plain + power[0] : plain;
    push('number', text, at + text.length, decimalNumber(text));
  }

  function command(name: string, end: number): void {
    if (name === 'left' || name === 'right' || name === 'mleft' || name === 'mright' || name === 'middle') {
      const wanted = name.endsWith('left') ? 'left' : name === 'middle' ? null : 'right';
      at = end;
      const blank = match(skipSpace, source, at);
      if (blank) at += blank[0].length;
      if (source[at] === '.') at++;
      else if (source[at] === '{') {
        side = wanted;
        sign('⦃', at + 1);
      } else if (source[at] === '}') {
        side = wanted;
        sign('⦄', at + 1);
      } else side = wanted;
      return;
    }
    const meaning = vocabulary.signCommands[name];
    if (meaning !== undefined)
      return meaning === 'and' || meaning === 'or'
        ? push('word', meaning, end)
        : meaning === 'e' || meaning === 'i'
          ? push('letter', meaning, end)
          : sign(meaning, end);
    if (vocabulary.silentCommands.has(name)) {
      at = end;
      space = true;
      return;
    }
    if (name === 'begin' || name === 'end') {
      const brace = skipBlank(source, end);
      const close = source[brace] === '{' ? braceEnd(brace) : -1;
      if (close < 0) return unparsed('the name of an environment', at);
      environments = Math.max(0, environments + (name === 'begin' ? 1 : -1));
      return push('command', `${name} ${source.slice(brace + 1, close).trim()}`, close + 1);
    }
    if (vocabulary.textCommands.has(name)) {
      const brace = skipBlank(source, end);
      if (source[brace] !== '{') {
        at = end;
        return;
      }
      const close = braceEnd(brace);
      const content = source.slice(brace + 1, close < 0 ? source.length : close);
      const after = close < 0 ? source.length : close + 1;
      if (name === 'underline' && !/^[a-zA-Z\s]*$/.test(content)) {
        at = brace;
        return;
      }
      return push(
        'text',
        name === 'mathbb'
          ? `set:${content.trim()}`
          : name.startsWith('operatorname')
            ? `fn:${content.trim()}`
            : name.startsWith('math') || name.startsWith('b') || name === 'pmb'
              ? `math:${content}`
              : content,
        after,
      );
    }
    if (name === 'hspace' || name === 'vspace' || name === 'phantom') {
      const brace = skipBlank(source, end);
      at = source[brace] === '{' && braceEnd(brace) >= 0 ? braceEnd(brace) + 1 : end;
      space = true;
      return;
    }
    if (name === 'variable') {
      const brace = skipBlank(source, end);
      const close = source[brace] === '{' ? braceEnd(brace) : -1;
      if (close >= 0) return push('letter', source.slice(brace + 1, close), close + 1);
    }
    if (structural.has(name) || vocabulary.accents[name] !== undefined) return push('command', name, end);
    const known = vocabulary.functions.get(name);
    if (known !== undefined && name !== 'Gamma') return push('function', known, end);
    if (vocabulary.letters.has(name)) return push('letter', name, end);
    const start = vocabulary.splittable.find(part => name.startsWith(part));
    if (start !== undefined) return command(start, end - (name.length - start.length));
    return unparsed('a command that is known', at);
  }

  function word(): void {
    const run = match(letterRun, source, at)![0];
    const end = at + run.length;
    if (run === 'and' || run === 'or') return push('word', run, end);
    if (run === 'pi') return sign('π', end);
    if (run === 'infinity' || run === 'oo' || run === 'inf' || run === 'Infinity') return sign('∞', end);
    if (run === 'mod') return sign('mod', end);
    if (run === 'percent' || run === 'pct' || run === 'percentage') return sign('%', end);
    if (run === 'union' || run === 'U') {
      // A union between two brackets: (1,2) U (3,4).
      const before = tokens.at(-1)?.text;
      const after = source[skipBlank(source, end)];
      if ((before === ')' || before === ']') && (after === '(' || after === '[')) return sign('∪', end);
    }
    const known = run.length > 1 ? vocabulary.plainFunctions.get(run) : undefined;
    if (known !== undefined)
      return known === 'sqrt' || known === 'cbrt'
        ? sign(known === 'sqrt' ? '√' : '∛', end)
        : push('function', known, end);
    if (vocabulary.plainLetters.has(run)) return push('letter', run, end);
    if (
      run.length > 1 &&
      isPlainUnit(run) &&
      afterValue(tokens) &&
      (space || run.length > 2 || !/[a-z]/.test(source[end] ?? ''))
    )
      return push('unit', run, end);
    // Unknown words that begin with a function: sinx, lnx.
    const start = run.length > 2 && run.length < 7 ? /^(?:sin|cos|tan|log|ln)/.exec(run)?.[0] : undefined;
    if (start !== undefined) push('function', vocabulary.functions.get(start)!, at + start.length);
    while (at < end) push('letter', source[at]!, at + 1);
  }

  while (at < source.length) {
    spend(budget);
    const c = source[at]!;
    const code = c.charCodeAt(0);
    if (code <= 32 || c === '~' || code === 0xa0 || c === '$') {
      at++;
      space = true;
    } else if ((code >= 48 && code <= 57) || (c === '.' && /\d/.test(source[at + 1] ?? ''))) {
      number();
    } else if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90)) {
      word();
    } else if (c === '\\') {
      const next = source[at + 1];
      if (next === undefined) {
        at++;
        continue;
      }
      const name = match(commandName, source, at + 1)?.[0];
      if (name !== undefined) {
        command(name, at + 1 + name.length);
      } else if (next === '\\') {
        // `\\frac` is a doubled backslash of a quoted string, not a new line, except where there are lines.
        const doubled = environments === 0 ? match(commandName, source, at + 2)?.[0] : undefined;
        if (doubled !== undefined && doubled.length > 1 && knownCommand(doubled)) at++;
        else if (environments === 0 && /[()[\]{}%,!;$]/.test(source[at + 2] ?? '')) at++;
        else push('sign', '\\\\', at + 2);
      } else if (next === '{') sign('⦃', at + 2);
      else if (next === '}') sign('⦄', at + 2);
      else if (next === '|') push('sign', '‖', at + 2);
      else if (next === '%') push('sign', '%', at + 2);
      else if ('()[]'.includes(next)) at += 2; // delimiters of math
      else {
        at += 2; // \, \; \! \$ and the like
        space = space || next === ' ' || next === ',' || next === ';' || next === ':';
      }
    } else if (c === '*' && source[at + 1] === '*') push('sign', '^', at + 2);
    else if (c === '!' && source[at + 1] === '=' && !(!space && /[\d)]/.test(source[at - 1] ?? '')))
      push('sign', '≠', at + 2);
    else if (c === '<' && source[at + 1] === '=') push('sign', '≤', at + 2);
    else if (c === '>' && source[at + 1] === '=') push('sign', '≥', at + 2);
    else if (c === '<' && source[at + 1] === '>') push('sign', '≠', at + 2);
    else if (c === '=' && (source[at + 1] === '<' || source[at + 1] === '>'))
      push('sign', source[at + 1] === '<' ? '≤' : '→', at + 2);
    else if (c === '=' && source[at + 1] === '=') push('sign', '=', at + 2);
    else if (c === '-' && source[at + 1] === '>') push('sign', '→', at + 2);
    else if (c === ':' && source[at + 1] === '=') push('sign', '=', at + 2);
    else if (c === '.' && source.startsWith('...', at)) push('sign', '…', at + 3);
    else if ("+-*/^_=<>,;:|()[]{}&%!'?".includes(c)) sign(c, at + 1);
    else if (c === '"') push('sign', "''", at + 1);
    else if (vocabulary.signs[c] !== undefined) sign(vocabulary.signs[c]!, at + 1);
    else if (vocabulary.greekLetters[c] !== undefined) push('letter', vocabulary.greekLetters[c]!, at + 1);
    else if (vocabulary.fractions[c] !== undefined) {
      const [n, d] = vocabulary.fractions[c]!;
      push('number', c, at + 1, { kind: 'number', value: rational(BigInt(n), BigInt(d)), decimals: null, digits: 0 });
    } else if (vocabulary.superscripts.includes(c)) {
      let end = at;
      let digits = '';
      for (; end < source.length && vocabulary.superscripts.includes(source[end]!); end++)
        digits += vocabulary.superscripts.indexOf(source[end]!);
      push('sign', '^', at);
      push('number', digits, end, decimalNumber(digits));
    } else if (vocabulary.subscripts.includes(c)) {
      let end = at;
      let digits = '';
      for (; end < source.length && vocabulary.subscripts.includes(source[end]!); end++)
        digits += vocabulary.subscripts.indexOf(source[end]!);
      push('sign', '_', at);
      push('number', digits, end, decimalNumber(digits));
    } else if ('€£¥₹¢'.includes(c)) {
      push('unit', c, at + 1);
    } else if (c === '`') at++;
    else unparsed('a sign of mathematics', at);
  }
  push('end', '', at);
  return tokens;
}

const skipBlank = (source: string, at: number): number => {
  let here = at;
  while (here < source.length && source.charCodeAt(here) <= 32) here++;
  return here;
};

/** Whether what was read so far ends with a value, so that a unit may follow. */
function afterValue(tokens: readonly Token[]): boolean {
  const last = tokens.at(-1);
  return (
    last !== undefined &&
    (last.type === 'number' || last.type === 'unit' || (last.type === 'sign' && ')]}π/%'.includes(last.text)))
  );
}
