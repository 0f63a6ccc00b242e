/** An answer as text to an answer as a tree, with what else its text says. */

import { isStop, type Budget, type Stop } from '../budget.js';
import type { Node } from '../tree.js';
import { readDate } from './dates.js';
import { decimalNumber } from './lexer.js';
import { parse } from './parser.js';
import { isProse, trailingUnit } from './prose.js';

export interface Reading {
  /** The text without what only frames it. */
  readonly text: string;
  /** null where it could not be read as mathematics. */
  readonly node: Node | null;
  /** Why not. */
  readonly stop: Stop | null;
  /** The words, where the text may be words rather than a product of letters: `east`, `not a function`. */
  readonly words: string | null;
}

export interface ReadOptions {
  /** `2,74` is 2.74, not a list: for numbers out of plain text. */
  readonly decimalComma?: boolean;
}

/** Takes away what frames an answer: delimiters of math, boxes, emphasis, a full stop. Linear in its length. */
function unframed(source: string): string {
  let text = source.trim();
  if (/^[\w+-]+(?:\.\d+)?$/.test(text) || (bareStart.test(text) && bareEnd.test(text))) return text;
  for (let round = 0; round < 6; round++) {
    const before = text;
    text = text.replace(/^(?:\\[,;:! ]|~|\\quad|\\qquad|\\displaystyle|\\n(?![a-zA-Z])|\s)+/, '');
    text = trimEnd(text);
    if (text.startsWith('**') && text.endsWith('**') && text.length > 4) text = text.slice(2, -2);
    for (const [open, close] of frames) {
      if (
        text.startsWith(open) &&
        text.endsWith(close) &&
        text.length > open.length + close.length &&
        (open !== '$' || onlyFrame(text))
      )
        text = text.slice(open.length, -close.length);
    }
    if (/^\$+[^$]*$/.test(text)) text = text.replace(/^\$+/, '');
    if (/^[^$]*\$+$/.test(text)) text = text.replace(/\$+$/, '');
    const box = /^\\(?:boxed|fbox)\s*\{/.exec(text);
    if (box && closesAtEnd(text, box[0].length - 1)) text = text.slice(box[0].length, -1);
    text = text.trim();
    if (text === before) break;
  }
  return text;
}

/** Neither a frame nor spacing at either end: nothing to take away. */
const bareStart = /^(?:[\w({|[+-]|\\(?:[dt]?frac|sqrt|pi|left|begin|text|\{)(?![a-zA-Z]))/;
const bareEnd = /[\w)}|](?<!\\.|\\q?quad|\$)$/;

const frames: readonly (readonly [string, string])[] = [
  ['$$', '$$'],
  ['\\(', '\\)'],
  ['\\[', '\\]'],
  ['$', '$'],
  ['`', '`'],
];

const onlyFrame = (text: string): boolean => text.indexOf('$', 1) === text.length - 1;

/** Punctuation and spacing at the end, but for what belongs to the mathematics: `\right.`, `...`, `5!`. */
function trimEnd(text: string): string {
  let end = text.length;
  for (;;) {
    const c = text[end - 1];
    if (c === undefined) break;
    if (
      c === ' ' ||
      c === '\n' ||
      c === '\t' ||
      c === '\r' ||
      c === ',' ||
      c === ';' ||
      c === ':' ||
      c === '。' ||
      c === '，' ||
      c === '~'
    ) {
      // `\,` and `\;` go as a whole; the space of `\ ` too.
      end -= text[end - 2] === '\\' && text[end - 3] !== '\\' ? 2 : 1;
    } else if (c === '!' && text[end - 2] === '\\') end -= 2;
    else if (
      c === '.' &&
      !text.endsWith('..', end) &&
      !/\\(?:m?right|m?left)\s*$/.test(text.slice(Math.max(0, end - 9), end - 1))
    )
      end--;
    else if (c === '.' && text.endsWith('\\right..', end)) end--;
    else if (c === '\\' && text[end - 2] === '\\') end -= 2;
    else if (text.endsWith('\\quad', end)) end -= 5;
    else if (text.endsWith('\\qquad', end)) end -= 6;
    else break;
  }
  return text.slice(0, end);
}

function closesAtEnd(text: string, open: number): boolean {
  let depth = 0;
  for (let at = open; at < text.length; at++) {
    const c = text[at];
    if (c === '\\') at++;
    else if (c === '{') depth++;
    else if (c === '}' && --depth === 0) return at === text.length - 1;
  }
  return false;
}

const simpleNumber = /^([-+]?)(\d+(?:\.\d+)?)$/;
const timeOfDay = /^\$?(\d{1,2}:\d{2})\$?\s*(?:\\text\s*\{)?\s*([ap])\.?\s?m\.?\s*\}?$/i;
const inBase = /^\(?([0-9A-Fa-f]+)\)?_\{?(?:\\text\{)?(\d{1,2}|two|eight|sixteen)\}*$/;

export function read(source: string, budget: Budget, options: ReadOptions = {}): Reading {
  const text = unframed(source);
  const simple = text.length < 40 ? simpleNumber.exec(text) : null;
  if (simple) {
    const node = decimalNumber(simple[2]!);
    return { text, node: simple[1] === '-' ? { kind: 'neg', arg: node } : node, stop: null, words: null };
  }
  const date = readDate(text);
  if (date !== null) return { text, node: { kind: 'text', text: date }, stop: null, words: null };
  const words = wordsOf(text);
  const nothing = (stop: Stop): Reading => ({ text, node: null, stop, words });
  if (text === '') return nothing({ stop: 'unparsed', what: 'an answer', at: 0 });
  const based = text.length < 60 ? inBase.exec(text) : null;
  if (based && (/\d/.test(based[1]!) || (based[2] === '16' && based[1]!.length > 1))) {
    const base = { two: 2, eight: 8, sixteen: 16 }[based[2]!] ?? Number(based[2]);
    if (base >= 2 && base <= 36 && [...based[1]!].every(digit => parseInt(digit, 36) < base))
      return { text, node: { kind: 'based', digits: based[1]!, base }, stop: null, words: null };
  }
  if (options.decimalComma && /^[-+]?\d+,\d+$/.test(text) && !/^[-+]?[1-9]\d{0,2}(?:,\d{3})+$/.test(text)) {
    const node = decimalNumber(text.replace(/[-+]/, '').replace(',', '.'));
    return { text, node: text.startsWith('-') ? { kind: 'neg', arg: node } : node, stop: null, words };
  }
  if (words !== null && (words.includes(' ') || known.has(words)))
    return { text, node: { kind: 'text', text: words }, stop: null, words };
  // A sentence is compared as one, whatever numbers are in it.
  if (words === null && text.length <= 600 && isProse(text))
    return { text, node: null, stop: null, words: plainWords(text) };
  const clock = text.length < 24 ? timeOfDay.exec(text) : null;
  if (clock)
    return {
      text,
      node: { kind: 'quantity', arg: parse(clock[1]!, budget), unit: `${clock[2]!.toLowerCase()}m` },
      stop: null,
      words: null,
    };
  const tail = trailingUnit(text);
  if (tail) {
    try {
      return {
        text,
        node: { kind: 'quantity', arg: parse(tail.value, budget), unit: tail.unit },
        stop: null,
        words: null,
      };
    } catch (error) {
      if (!isStop(error)) throw error;
    }
  }
  try {
    return { text, node: parse(text, budget), stop: null, words };
  } catch (error) {
    if (!isStop(error)) throw error;
    if (error.stop === 'budget') return nothing(error);
    // Words with numbers in them, in any language: compared as words.
    if (
      words === null &&
      text.length <= 400 &&
      /\p{L}{3,}/u.test(text.replace(/\\(?:begin|end)\s*\{[^{}]*\}|\\[a-zA-Z]+/g, ''))
    )
      return { text, node: null, stop: error, words: plainWords(text) };
    return nothing(error);
  }
}

/** The words of a text of letters only, in lower case; null where it is something else. */
export function wordsOf(text: string): string | null {
  if (text.length > 400 || /[\d^_=+*/<>|&]/.test(text)) return null;
  const bare = text
    .replace(/\\(?:text|textbf|textit|mathrm|mbox|textnormal|textrm|operatorname)\s*\{([^{}]*)\}/g, ' $1 ')
    .replace(/\\[ ,;!]|~/g, ' ');
  if (!/^[\p{L}\s'’.,()-]*$/u.test(bare)) return null;
  const letters = bare.replace(/[^\p{L}]/gu, '');
  if (letters.length < 2) return null;
  // One letter at a time is mathematics: (a, b).
  const parts = bare
    .trim()
    .split(/[\s.,()'’-]+/)
    .filter(part => part !== '');
  if (
    parts.every(part => part.length === 1 && !/[aI]/.test(part)) ||
    (/[,(]/.test(bare) && parts.every(part => part.length <= 2))
  )
    return null;
  if (
    parts.some(part => part === 'and' || part === 'or') &&
    parts.every(part => part.length === 1 || part === 'and' || part === 'or')
  )
    return null;
  return plainWords(parts.join(' '));
}

const plainWords = (text: string): string =>
  text
    .toLowerCase()
    .replace(/\\[a-z]+|[{}$\\.,;:!?'"’()]+/g, ' ')
    .replace(/\b(?:the|a|an|there|is|are|it)\b/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

/** Answers in words that mean the same. */
const meanings: readonly (readonly string[])[] = [
  ['yes', 'true', 'correct'],
  ['no', 'false', 'incorrect'],
  ['no solution', 'no solutions', 'none', 'no real solution', 'no real solutions', 'empty set', 'no such', '∅'],
  ['infinitely many solutions', 'infinite number of solutions', 'infinitely many', 'infinite solutions', 'infinite'],
  ['undefined', 'does not exist', 'dne', 'not defined'],
  ['converges', 'convergent'],
  ['diverges', 'divergent'],
  ['all real numbers', 'all reals', 'every real number'],
];
const known: ReadonlyMap<string, string> = new Map(
  meanings.flatMap(group => group.map(words => [words, group[0]!] as const)),
);

/** The same word for all that mean the same. */
export const meaningOf = (words: string): string => known.get(words) ?? words;
