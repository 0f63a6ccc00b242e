/**
 * Where pieces of a trained vocabulary may begin and end: as in SentencePiece, a space only at a beginning, and letters
 * of one script, digits and other signs each for themselves. No piece spans two chunks, so chunks can be counted.
 */

import { spaceMark } from './parts.js';

/** Calls `visit` with each chunk of a text whose spaces are marks, in order. The chunks put together are the text. */
export function forEachChunk(text: string, visit: (chunk: string) => void): void {
  let chunk = '';
  let last = '';
  for (const character of text) {
    const kind = character === spaceMark ? spaceMark : classOf(character);
    // A mark that stands alone takes what follows, whatever it is; two marks are two chunks.
    const goesOn = chunk === spaceMark ? kind !== spaceMark : kind === last && kind !== spaceMark;
    if (!goesOn && chunk !== '') {
      visit(chunk);
      chunk = '';
    }
    chunk += character;
    last = kind;
  }
  if (chunk !== '') visit(chunk);
}

const known = new Map<string, string>();

function classOf(character: string): string {
  let found = known.get(character);
  if (found === undefined) {
    found = /\p{N}/u.test(character)
      ? 'digit'
      : /[\p{L}\p{M}]/u.test(character)
        ? (scripts.find(([, pattern]) => pattern.test(character))?.[0] ?? 'letter')
        : 'sign';
    known.set(character, found);
  }
  return found;
}

/** Japanese mixes three in a word, so they count as one. A mark that scripts share goes with no letter, as there. */
const scripts: readonly (readonly [string, RegExp])[] = [
  ['Latin', /\p{Script=Latin}/u],
  ['Cyrillic', /\p{Script=Cyrillic}/u],
  ['Greek', /\p{Script=Greek}/u],
  ['Han', /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]/u],
  ['Hangul', /\p{Script=Hangul}/u],
  ['Arabic', /\p{Script=Arabic}/u],
  ['Hebrew', /\p{Script=Hebrew}/u],
  ['Devanagari', /\p{Script=Devanagari}/u],
  ['Bengali', /\p{Script=Bengali}/u],
  ['Tamil', /\p{Script=Tamil}/u],
  ['Telugu', /\p{Script=Telugu}/u],
  ['Sinhala', /\p{Script=Sinhala}/u],
  ['Thai', /\p{Script=Thai}/u],
  ['Khmer', /\p{Script=Khmer}/u],
  ['Georgian', /\p{Script=Georgian}/u],
  ['Armenian', /\p{Script=Armenian}/u],
  ['Ethiopic', /\p{Script=Ethiopic}/u],
];
