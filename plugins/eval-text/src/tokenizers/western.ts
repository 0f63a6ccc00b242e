/** The part that 13a, zh and TER share: punctuation of Western languages stands alone, but inside numbers it stays. */

import { isSpace, words } from '../text/whitespace.js';

/** ASCII punctuation without `'`, `,`, `-` and `.`, which depend on their neighbours. */
const punctuation = /[{-~[-` -&(-+:-@/]/g;

/**
 * Rules of mteval-v13a, applied in order; NIST, mteval-v13a.pl.
 *
 * @param between what is done after punctuation and before full stops and commas
 */
export function western(text: string, between: (text: string) => string = same): string {
  return between(text.replace(punctuation, ' $& '))
    .replace(/([^0-9])([.,])/g, '$1 $2 ') // unless a digit is before it
    .replace(/([.,])([^0-9])/g, ' $1 $2') // unless a digit is after it
    .replace(/([0-9])-/g, '$1 - ');
}

const same = (text: string): string => text;

const FULL_STOP = 0x2e;
const COMMA = 0x2c;
const DASH = 0x2d;

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
const isPoint = (code: number): boolean => code === FULL_STOP || code === COMMA;
const isPunctuation = (code: number): boolean =>
  code < 0x7f &&
  ((code > 0x20 && code < 0x27) ||
    (code > 0x27 && code < 0x2c) ||
    code === 0x2f ||
    (code > 0x39 && code < 0x41) ||
    (code > 0x5a && code < 0x61) ||
    code > 0x7a);

/**
 * The tokens of `western`, in one pass. Where full stops and commas follow each other, which of them the rules part
 * depends on where each match began: such lines take the rules themselves.
 *
 * @param padded whether a space stands around the text: then its ends part full stops, commas and digits too
 */
export function westernTokens(text: string, padded: boolean): string[] {
  const found: string[] = [];
  const outside = padded ? 0x20 : 0x30; // a digit parts nothing
  let from = -1; // of the token at hand
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x40 && code < 0x5b ? true : code > 0x60 && code < 0x7b) {
      if (from < 0) from = at;
      continue;
    }
    let alone = false;
    if (isPoint(code)) {
      const before = at > 0 ? text.charCodeAt(at - 1) : outside;
      const after = at + 1 < text.length ? text.charCodeAt(at + 1) : outside;
      if (isPoint(after)) return words(western(padded ? ` ${text} ` : text));
      alone = !isDigit(before) || !isDigit(after);
    } else if (code === DASH) alone = at > 0 && isDigit(text.charCodeAt(at - 1));
    else if (isPunctuation(code)) alone = true;
    else if (isSpace(code)) {
      if (from >= 0) found.push(text.slice(from, at));
      from = -1;
      continue;
    }
    if (!alone) {
      if (from < 0) from = at;
      continue;
    }
    if (from >= 0) found.push(text.slice(from, at));
    found.push(text[at]!);
    from = -1;
  }
  if (from >= 0) found.push(text.slice(from));
  return found;
}

const entities: Readonly<Record<string, string>> = { '&quot;': '"', '&amp;': '&', '&lt;': '<', '&gt;': '>' };

/** In this order, so `&amp;lt;` becomes `<`, as in the reference. */
export function unescape(text: string): string {
  if (!text.includes('&')) return text;
  let plain = text;
  for (const [entity, character] of Object.entries(entities)) plain = plain.replaceAll(entity, character);
  return plain;
}
