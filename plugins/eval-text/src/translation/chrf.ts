/** chrF (Popović 2015) and chrF++ (Popović 2017) as sacreBLEU 2.6.0 computes them. */

import { fail } from '@heddle/core';
import { signatureOf, type CorpusMetric } from '../metric.js';
import { ngramIndex, vocabulary, type NgramIndex, type Vocabulary } from '../text/ngrams.js';
import { isSpace, words } from '../text/whitespace.js';

export interface ChrfOptions {
  /** Longest n-gram of characters; default 6. */
  readonly charOrder?: number | undefined;
  /** Longest n-gram of words; default 0, and 2 for chrF++. */
  readonly wordOrder?: number | undefined;
  /** How many times recall counts as much as precision; default 2. */
  readonly beta?: number | undefined;
  /** Default false. */
  readonly lowercase?: boolean | undefined;
  /** Count white space as a character. Default false. */
  readonly whitespace?: boolean | undefined;
  /** A tiny match for orders without one, as chrF++.py, NLTK and Moses do, instead of leaving those orders out. Default false. */
  readonly epsSmoothing?: boolean | undefined;
}

/** ASCII punctuation, parted from the ends of words. */
const punctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

/** One mark at the end of a word, else one at its start, stands alone: `(hi)` is `(hi` and `)`. */
function chrfWords(text: string): string[] {
  const found: string[] = [];
  for (const word of words(text)) {
    if (word.length > 1 && punctuation.has(word.at(-1)!)) found.push(word.slice(0, -1), word.at(-1)!);
    else if (word.length > 1 && punctuation.has(word[0]!)) found.push(word[0]!, word.slice(1));
    else found.push(word);
  }
  return found;
}

/** Code points, white space left out unless it counts. */
function characters(text: string, whitespace: boolean): Int32Array {
  const found = new Int32Array(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.codePointAt(at)!;
    if (code > 0xffff) at++;
    else if (!whitespace && isSpace(code)) continue;
    found[length++] = code;
  }
  return found.subarray(0, length);
}

const eps = 1e-16;

const share = (part: number, whole: number, single: boolean): number =>
  whole > 0 ? (single ? Math.fround(part / whole) : part / whole) : eps;

/**
 * chrF of a corpus. Statistics of a segment: for each order of characters, then of words, the n-grams of the hypothesis,
 * of the reference, and of both; of several references, those of the one with the best score.
 *
 * @throws E_CONFIG for orders or a beta that make no sense
 */
export function chrf(options: ChrfOptions = {}): CorpusMetric {
  const {
    charOrder = 6,
    wordOrder = 0,
    beta = 2,
    lowercase = false,
    whitespace = false,
    epsSmoothing = false,
  } = options;
  for (const [name, value, least] of [
    ['charOrder', charOrder, 0],
    ['wordOrder', wordOrder, 0],
    ['beta', beta, 0],
  ] as const)
    if (!(Number.isInteger(value) && value >= least && value <= 64))
      fail(
        'E_CONFIG',
        `chrf: expected ${name} as a whole number from ${least} to 64, received ${value}. See sacreBLEU's options.`,
        { [name]: value },
      );
  const orders = charOrder + wordOrder;
  if (orders === 0)
    fail('E_CONFIG', 'chrf: expected n-grams of characters or words, received order 0 for both. Raise charOrder.');
  const name = `chrF${beta}${'+'.repeat(wordOrder)}`;
  const factor = beta ** 2;
  const shown = (text: string): string => (lowercase ? text.toLowerCase() : text);

  function fScore(sums: ArrayLike<number>, at: number, single: boolean): number {
    let smoothed = 0;
    let precision = 0;
    let recall = 0;
    let effective = 0;
    for (let n = 0; n < orders; n++) {
      const hypothesis = sums[at + 3 * n]!;
      const reference = sums[at + 3 * n + 1]!;
      const p = share(sums[at + 3 * n + 2]!, hypothesis, single);
      const r = share(sums[at + 3 * n + 2]!, reference, single);
      const denominator = factor * p + r;
      smoothed += denominator > 0 ? ((1 + factor) * p * r) / denominator : eps;
      if (hypothesis > 0 && reference > 0) {
        precision += p;
        recall += r;
        effective++;
      }
    }
    if (epsSmoothing) return (100 * smoothed) / orders;
    if (effective > 0) {
      precision /= effective;
      recall /= effective;
    }
    if (precision + recall === 0) return 0;
    return 100 * (((1 + factor) * precision * recall) / (factor * precision + recall));
  }

  return {
    name,
    higherIsBetter: true,
    single: true,
    width: 3 * orders,
    references(texts) {
      const prepared = texts.map(text => prepare(shown(text)));
      const other = new Float64Array(3 * orders);
      return {
        compare(hypothesis, into, at) {
          const text = shown(hypothesis);
          const chars = characters(text, whitespace);
          const tokens = wordOrder > 0 ? chrfWords(text) : [];
          let best = -1;
          for (const reference of prepared) {
            if (prepared.length === 1) return reference(chars, tokens, into, at);
            reference(chars, tokens, other, 0);
            const found = fScore(other, 0, false);
            if (found > best) {
              best = found;
              into.set(other, at);
            }
          }
        },
      };
    },
    score: (sums, single = false) => ({ name, score: fScore(sums, 0, single), verbose: '' }),
    signature: facts =>
      signatureOf(facts, {
        case: lowercase ? 'lc' : 'mixed',
        eff: epsSmoothing ? 'no' : 'yes',
        nc: charOrder,
        nw: wordOrder,
        space: whitespace ? 'yes' : 'no',
      }),
  };

  /** @returns what compares a hypothesis with this reference */
  function prepare(text: string): (chars: Int32Array, tokens: string[], into: Float64Array, at: number) => void {
    const chars = characters(text, whitespace);
    const charGrams = ngramIndex(charOrder, chars.length);
    charGrams.add(chars);
    let known: Vocabulary | null = null;
    let wordGrams: NgramIndex | null = null;
    let count = 0;
    if (wordOrder > 0) {
      known = vocabulary();
      const ids = known.learn(chrfWords(text));
      count = ids.length;
      wordGrams = ngramIndex(wordOrder, count);
      wordGrams.add(ids);
    }
    return (own, tokens, into, at) => {
      into.fill(0, at, at + 3 * orders);
      totals(into, at, charOrder, own.length, chars.length);
      charGrams.match(own, into, at + 2, 3);
      if (known === null || wordGrams === null) return;
      totals(into, at + 3 * charOrder, wordOrder, tokens.length, count);
      wordGrams.match(known.look(tokens), into, at + 3 * charOrder + 2, 3);
    };
  }
}

/** N-grams of a hypothesis count only where the reference has any of that order. */
function totals(into: Float64Array, at: number, orders: number, hypothesis: number, reference: number): void {
  for (let n = 0; n < orders; n++) {
    into[at + 3 * n] = reference > n ? Math.max(0, hypothesis - n) : 0;
    into[at + 3 * n + 1] = Math.max(0, reference - n);
  }
}
