/** Finds the answer in what a model wrote. Linear in the length of the text; says how the answer was found. */

import { matchBraces } from '../read/lexer.js';
import { readDate } from '../read/dates.js';
import { isProse } from '../read/prose.js';
import { announcements, anyAnnouncement, reasoningEnds, turnEnds } from './phrases.js';

/** Ways to find an answer. */
export type Target = 'boxed' | 'announced' | 'math' | 'number' | 'choice' | 'whole';

export interface ExtractOptions {
  /** What is tried, in this order. */
  readonly order: readonly Target[];
  /** Of several boxes: the last (with those that it goes on from: `\boxed{1}` and `\boxed{2}`), the first, or all. */
  readonly boxes: 'last' | 'first' | 'all';
  /** Marks that end a reasoning. Only what follows the last of them counts. */
  readonly reasoningEnds: readonly string[];
  /** Whether a text without such a mark has no answer. */
  readonly reasoningRequired: boolean;
  /** Whether `$ … $` may go over a line break. */
  readonly inlineLines: boolean;
}

export const defaultExtractOptions: ExtractOptions = {
  order: ['boxed', 'announced', 'whole', 'math', 'number'],
  boxes: 'last',
  reasoningEnds,
  reasoningRequired: false,
  inlineLines: true,
};

export interface Extraction {
  readonly text: string;
  readonly how: Target;
  /** A number out of plain text, where 2,74 may be a decimal. */
  readonly plain: boolean;
}

/** Texts longer than this are looked at from their end. */
const longest = 200_000;

/** @returns null where there is no answer */
export function extract(source: string, options: ExtractOptions = defaultExtractOptions): Extraction | null {
  const text = finalPart(source.length > longest ? source.slice(-longest) : source, options);
  if (text === null || text.trim() === '') return null;
  for (const target of options.order) {
    const found = finders[target](text, options);
    if (found !== null && found.text.trim() !== '') return found;
  }
  return null;
}

function finalPart(source: string, { reasoningEnds: ends, reasoningRequired }: ExtractOptions): string | null {
  let text = source;
  let from = -1;
  for (const mark of ends) {
    const at = text.lastIndexOf(mark);
    if (at >= 0) from = Math.max(from, at + mark.length);
  }
  if (from >= 0) text = text.slice(from);
  else if (reasoningRequired) return null;
  const turn = text.includes('<') ? turnEnds.exec(text) : null;
  if (turn && text.slice(0, turn.index).trim() !== '') text = text.slice(0, turn.index);
  return text;
}

const finders: Readonly<Record<Target, (text: string, options: ExtractOptions) => Extraction | null>> = {
  boxed: findBoxed,
  announced: findAnnounced,
  math: (text, options) => findMath(text, options),
  number: text => findNumber(text),
  choice: findChoice,
  whole: findWhole,
};

// Boxes

interface Span {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

const boxCommand = /\\(?:boxed|fbox|framebox)(?![a-zA-Z])\s*/g;
/** What an instruction shows instead of an answer. */
const placeholder = /^\s*(?:\\text\s*\{)?\s*(?:\.\.\.|…|answer|your answer|\?)\s*\}?\s*$/i;

function boxesOf(text: string): readonly Span[] {
  if (!text.includes('\\boxed') && !text.includes('\\fbox') && !text.includes('\\framebox')) return [];
  let matched: Int32Array | null = null;
  const found: Span[] = [];
  for (const match of text.matchAll(boxCommand)) {
    const start = match.index;
    const open = start + match[0].length;
    if (found.length > 0 && start < found.at(-1)!.end) continue; // a box in a box
    if (text[open] === '{') {
      const close = (matched ??= matchBraces(text))[open]!;
      // A box that never ends goes to the end of its line or formula.
      const rest = close < 0 ? /[^\n$]*/.exec(text.slice(open + 1))![0] : '';
      found.push(
        close < 0
          ? { start, end: open + 1 + rest.length, text: rest }
          : { start, end: close + 1, text: text.slice(open + 1, close) },
      );
    } else {
      const word = /^[^\s$,.;]+/.exec(text.slice(open, open + 80))?.[0] ?? '';
      found.push({ start, end: open + word.length, text: word });
    }
  }
  return found.filter(({ text: inner }) => inner.trim() !== '' && !(inner.length < 40 && placeholder.test(inner)));
}

function findBoxed(text: string, { boxes }: ExtractOptions): Extraction | null {
  const found = boxesOf(text);
  if (found.length === 0) return null;
  const last = found.length - 1;
  let [from, to] = boxes === 'first' ? [0, 0] : boxes === 'all' ? [0, last] : [last, last];
  if (boxes === 'last') while (from > 0 && continues(text.slice(found[from - 1]!.end, found[from]!.start))) from--;
  if (boxes === 'first') while (to < last && continues(text.slice(found[to]!.end, found[to + 1]!.start))) to++;
  const chosen = found.slice(from, to + 1);
  if (chosen.length === 1 && chosen[0]!.end === text.length)
    return { text: chosen[0]!.text, how: 'boxed', plain: false };
  const parts = [...new Set(chosen.map(box => box.text.trim()))];
  const after = text.slice(chosen.at(-1)!.end, chosen.at(-1)!.end + 40);
  const percent =
    parts.length === 1 &&
    /^\s*(?:\$+|\\\)|\\\])?\s*(?:\\?%|percent\b|pct\b|percentage\b)/i.test(after) &&
    !/%|percent|pct/.test(parts[0]!);
  return { text: parts.join(', ') + (percent ? '\\%' : ''), how: 'boxed', plain: false };
}

/** Whether the text between two boxes only leads from one answer to the next. */
function continues(gap: string): boolean {
  if (gap.length > 60) return false;
  const words = gap.replace(/\\(?:quad|qquad|text|mathrm|textbf|[()[\],;:! ])|[$\s{}()[\]&*]/g, ' ').trim();
  if (words === '' || /^[,;，、]+$/.test(words)) return !/\n\s*\n/.test(gap);
  return (
    /(?:\b(?:and|or)\b|[,，、和或])/.test(words) &&
    !/[.。!?]\s|\n\s*\n|\b(?:so|thus|hence|therefore|final|then|answer|which)\b/i.test(gap)
  );
}

// Formulas

/** Formulas in their delimiters, in order. */
function formulasOf(text: string, inlineLines = true): readonly Span[] {
  const found: Span[] = [];
  /** Ends that do not come any more: each is looked for in vain only once. */
  const missing = new Set<string>();
  let at = 0;
  const endOf = (mark: string, from: number): number => {
    const close = missing.has(mark) ? -1 : text.indexOf(mark, from);
    if (close < 0) missing.add(mark);
    return close;
  };
  /** One formula from here on, or false. */
  const take = (open: number, mark: string, oneLine = false): boolean => {
    const close = endOf(mark, open);
    const line = close >= 0 && oneLine ? text.indexOf('\n', open) : -1;
    if (close < 0 || (line >= 0 && line < close)) return false;
    found.push({ start: at, end: close + mark.length, text: text.slice(open, close) });
    at = close + mark.length;
    return true;
  };
  while (at < text.length) {
    const c = text[at];
    if (c === '\\') {
      const next = text[at + 1];
      if (next === '[' && take(at + 2, '\\]')) continue;
      if (next === '(' && take(at + 2, '\\)', !inlineLines)) continue;
      const name = next === 'b' ? environment.exec(text.slice(at, at + 24)) : null;
      if (name && take(at + name[0].length, `\\end{${name[1]}}`)) continue;
      at += 2;
    } else if (c === '$') {
      const double = text[at + 1] === '$';
      const open = at + (double ? 2 : 1);
      const close = missing.has('$') ? -1 : closingDollar(text, open, double);
      if (close < 0) {
        if (text.indexOf('$', open) < 0) missing.add('$');
        at = open;
        continue;
      }
      const inner = text.slice(open, close);
      // Not a formula: one that goes over its line, or the text between two prices.
      if (
        !double &&
        ((!inlineLines && inner.includes('\n')) ||
          threeWords.test(inner.slice(0, 400).replace(/\\[a-z]+(?:\{[^{}]*\})?/g, '')))
      ) {
        at = open;
        continue;
      }
      found.push({ start: at, end: close + (double ? 2 : 1), text: inner });
      at = close + (double ? 2 : 1);
    } else at++;
  }
  return found;
}

const environment = /^\\begin\{((?:align|equation|gather|eqnarray|multline)\*?)\}/;
const threeWords = /[a-zA-Z]{3,}\s+[a-zA-Z]{2,}\s+[a-zA-Z]{2,}/;

function closingDollar(text: string, from: number, double: boolean): number {
  for (let at = from; at < text.length && at < from + 4_000; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === '$' && (!double || text[at + 1] === '$')) return at;
  }
  return -1;
}

const percentAfter = (text: string, end: number): string =>
  /^\s*(?:\\?%|percent\b|pct\b|percentage\b)/i.test(text.slice(end, end + 16)) ? '\\%' : '';

/** The last formula, with those that it goes on from; a number in a later sentence comes before it. */
function findMath(text: string, { inlineLines, order }: ExtractOptions): Extraction | null {
  const formulas = formulasOf(text, inlineLines).filter(({ text: inner }) => inner.trim() !== '');
  if (formulas.length === 0) return null;
  const last = formulas.length - 1;
  if (order.includes('number')) {
    const later = text.slice(formulas[last]!.end);
    const sentence = /(?:^|[.!?])\s+(?=[A-Z])|\n/.exec(later);
    if (sentence) {
      const number = findNumber(later.slice(sentence.index));
      if (number) return number;
    } else {
      // "the largest $n$ is 34"
      const copula = /\b(?:is|are|equals|be|by)\s+(?:about\s+|approximately\s+)?([^\s].*)$/is.exec(later.slice(0, 200));
      const number = copula ? findNumber(copula[1]!) : null;
      if (number && !/\d/.test(formulas[last]!.text)) return number;
    }
  }
  let from = last;
  while (from > 0 && joins(text.slice(formulas[from - 1]!.end, formulas[from]!.start))) from--;
  const parts = formulas.slice(from).map(({ text: inner }) => inner.trim());
  return { text: parts.join(', ') + percentAfter(text, formulas[last]!.end), how: 'math', plain: false };
}

const joins = (gap: string): boolean =>
  /^[\s,;，、]*(?:\b(?:and|or)\b)?[\s,;，、]*$/.test(gap) && /\S/.test(gap) && !gap.includes('\n\n');

// Plain numbers

const numberPattern =
  /(?<![\w.,])[-−+]?(?:[$€£¥]\s?)?(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+,\d+|\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?(?:\s?\/\s?\d+(?:\.\d+)?)?(?:\s?(?:\\?%|percent\b|pct\b))?(?![\d\w])|\\[dt]?frac\s*\{[^{}]{1,60}\}\s*\{[^{}]{1,60}\}|\\sqrt\s*\{[^{}]{1,60}\}/g;

function findNumber(text: string): Extraction | null {
  const part = text.slice(-4_000);
  let last: string | null = null;
  for (const match of part.matchAll(numberPattern)) last = match[0];
  if (last === null) return null;
  return { text: last.replace(/\bpercent|pct/, '\\%').replace(/[€£¥]/, ''), how: 'number', plain: true };
}

// Announcements

function findAnnounced(text: string, options: ExtractOptions): Extraction | null {
  let end = -1;
  const part = text.length > 8_000 ? text.slice(-8_000) : text;
  if (!anyAnnouncement.test(part)) return null;
  for (const pattern of announcements) {
    pattern.lastIndex = 0;
    for (const match of part.matchAll(pattern)) {
      const here = match.index + match[0].length;
      if (here > end && part.slice(here).trim() !== '') end = here;
    }
  }
  if (end < 0) return null;
  const region = sentenceOf(part.slice(end, end + 1_200));
  return fromSentence(region, options);
}

/** To the end of the sentence: a full stop before a space, or a line break, but not within a formula. */
function sentenceOf(text: string): string {
  const start = text.length - text.trimStart().length;
  const formulas = formulasOf(text);
  for (let at = start; at < text.length; at++) {
    const inside = formulas.find(span => at >= span.start && at < span.end);
    if (inside) {
      at = inside.end - 1;
      continue;
    }
    if (text[at] === '\n' || text[at] === '。') return text.slice(0, at);
    if (
      /[.!?]/.test(text[at]!) &&
      /^(?:\s|$|\*)/.test(text.slice(at + 1, at + 2)) &&
      !/\b(?:p|a)\.m?$/i.test(text.slice(Math.max(0, at - 3), at + 1))
    )
      return text.slice(0, at);
  }
  return text;
}

function fromSentence(sentence: string, options: ExtractOptions): Extraction | null {
  const bare = sentence.replace(/\*\*|__/g, '').trim();
  if (bare === '') return null;
  const formulas = formulasOf(bare, options.inlineLines);
  // What follows the last "is" or "are" outside of formulas.
  let from = 0;
  for (const match of bare.matchAll(/\b(?:is|are|equals|was|be)\b:?\s+/g))
    if (
      !formulas.some(span => match.index >= span.start && match.index < span.end) &&
      /[\d\\$A-Z]/.test(bare.slice(match.index + match[0].length))
    )
      from = match.index + match[0].length;
  const tail = bare.slice(from).trim();
  const inside = formulasOf(tail, options.inlineLines);
  if (inside.length > 0) {
    if (!isProse(tail)) return { text: tail, how: 'announced', plain: false };
    let to = 0;
    while (to + 1 < inside.length && joins(tail.slice(inside[to]!.end, inside[to + 1]!.start))) to++;
    return {
      text:
        inside
          .slice(0, to + 1)
          .map(span => span.text)
          .join(', ') + percentAfter(tail, inside[to]!.end),
      how: 'announced',
      plain: false,
    };
  }
  if (!isProse(tail)) return { text: tail, how: 'announced', plain: true };
  if (options.order.includes('number')) {
    const choice = /^\(?([A-J])\)?(?:[).:,]|\s|$)/.exec(tail);
    if (choice && !/^[AI]\s+[a-z]/.test(tail)) return { text: choice[1]!, how: 'announced', plain: true };
    const number = findNumber(tail) ?? findNumber(bare);
    if (number) return { ...number, how: 'announced' };
  }
  return tail.length <= 80 && options.order.includes('whole') ? { text: tail, how: 'announced', plain: true } : null;
}

// Choices and short texts

function findChoice(text: string): Extraction | null {
  const announced =
    /(?:answer|option|choice)\s*(?:is|:)?\s*\(?([A-J])\)?(?![a-z])/i.exec(text) ??
    /^\s*\(?([A-J])\)?(?:[).:\s]|$)/.exec(text) ??
    /\b([A-J])\b(?=\s+is\b)/.exec(text) ??
    /(?:^|[\s(])([A-J])(?=[\s).,]|$)/.exec(text);
  return announced ? { text: announced[1]!, how: 'choice', plain: true } : null;
}

function findWhole(text: string): Extraction | null {
  const bare = text.trim();
  return bare.length <= 2_000 && (readDate(bare) !== null || !isProse(bare))
    ? { text: bare, how: 'whole', plain: !/[$\\]/.test(bare) }
    : null;
}
