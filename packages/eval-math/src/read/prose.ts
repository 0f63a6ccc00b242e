/** Tells mathematics from sentences. */

import { isPlainUnit, unitOf } from './units.js';
import { plainFunctions, plainLetters } from './vocabulary.js';

const unitAfter =
  /^([^a-zA-Z]*[\d)\]}%$°]\$?)[\s~]*\(?((?:[a-zA-Z]{2,}\.?|a|per|[-/])(?:[\s/-]+[a-zA-Z]+\.?){0,4})\)?$/;

/** Words that the reader takes for signs. */
const signWord = /^(?:percent|pct|percentage|infinity|mod|union|sin|cos|tan|log)/;

/** A value and the words after it: `34 miles per hour`, `$125$ miles`, `9 (apples)`. null for anything else. */
export function trailingUnit(text: string): { readonly value: string; readonly unit: string } | null {
  const found = text.length < 200 ? unitAfter.exec(text) : null;
  if (!found) return null;
  const [, value, unit] = found as unknown as readonly [string, string, string];
  const words = unit.split(/[\s./-]+/).filter(word => word.length > 1);
  // Letters that may be a product or a function are no unit: 2abc, 5 sin x, 1 and 2.
  if (
    words.some(
      word =>
        plainFunctions.has(word) || plainLetters.has(word) || word === 'and' || word === 'or' || signWord.test(word),
    )
  )
    return null;
  return words.some(
    word => isPlainUnit(word) || (word.length > 3 && /[\s~(]/.test(text.slice(value.length, value.length + 1))),
  )
    ? { value, unit: unit.toLowerCase() }
    : null;
}

const plainWord = /[a-zA-Z]{3,}/g;

/** Whether a text has words around its mathematics. Words alone are an answer of words. */
export function isProse(text: string): boolean {
  if (!/[a-zA-Z]{3}/.test(text)) return false;
  const outside = text
    .replace(
      /\\(?:text|textbf|textit|mathrm|mbox|textnormal|operatorname|begin|end|mathbf|mathbb|mathit|variable)\s*\*?\{[^{}]*\}/g,
      ' ',
    )
    .replace(/\\[a-zA-Z]+/g, ' ');
  const words = outside.match(plainWord) ?? [];
  const strange = words.filter(
    word => word !== 'and' && !plainFunctions.has(word) && !plainLetters.has(word) && !signWord.test(word),
  );
  if (strange.length === 0) return false;
  const mathematics = /[\d\\^_=<>+*/]/.test(text);
  if (!mathematics)
    return (
      text.length > 60 ||
      text.trim().split(/\s+/).length > 5 ||
      /\bI\b|['’]t\b|\b(?:sorry|not sure|cannot|unable)\b/.test(text)
    );
  if (trailingUnit(text) !== null) return false;
  if (strange.every(word => isPlainUnit(word) || unitOf(word) !== null) && text.length < 80) return false;
  // A single name before an equal sign: Area = 5; a product of letters: abc + 1.
  return !(
    strange.length === 1 &&
    text.length < 120 &&
    (/^[A-Za-z]{3,}\s*=/.test(text) || !/[a-z]{4}|[A-Z][a-z]{2}/.test(strange[0]!)) &&
    !/\s[a-z]{2,}\s/.test(outside)
  );
}
