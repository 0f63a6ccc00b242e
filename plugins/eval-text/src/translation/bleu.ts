/** BLEU (Papineni et al. 2002) as sacreBLEU 2.6.0 computes it (Post 2018). */

import { fail } from '@heddle/core';
import { signatureOf, type CorpusMetric, type Score } from '../metric.js';
import { fixed } from '../text/decimal.js';
import { ngramIndex, vocabulary } from '../text/ngrams.js';
import { trimEnd } from '../text/whitespace.js';
import { tokenizerOf, type BuiltinTokenizer, type Tokenizer } from '../tokenizers/index.js';
import { tokensOf } from '../tokenizers/tokenizer.js';

/** Chen and Cherry 2014: `floor` is their method 1, `add-k` 2, `exp` 3 (NIST's). */
export type Smoothing = 'none' | 'floor' | 'add-k' | 'exp';

export interface BleuOptions {
  /** Default `13a`. For Chinese take `zh`, for languages without spaces `char`; see `tokenizerForLanguage`. */
  readonly tokenize?: BuiltinTokenizer | Tokenizer | undefined;
  /** Default false. */
  readonly lowercase?: boolean | undefined;
  /** Default `exp`. */
  readonly smooth?: Smoothing | undefined;
  /** What `floor` gives instead of no match (0.1 unless said), what `add-k` adds (1 unless said). */
  readonly smoothValue?: number | undefined;
  /** Longest n-gram; default 4. */
  readonly maxOrder?: number | undefined;
  /** Leave out orders that a short hypothesis cannot have: for single sentences. Default false. */
  readonly effectiveOrder?: boolean | undefined;
}

export interface BleuScore extends Score {
  /** Matches of each order, after `add-k`. */
  readonly counts: readonly number[];
  /** N-grams of the hypothesis of each order, after `add-k`. */
  readonly totals: readonly number[];
  /** Percent. */
  readonly precisions: readonly number[];
  /** Brevity penalty, 0 to 1. */
  readonly bp: number;
  /** Tokens. */
  readonly systemLength: number;
  readonly referenceLength: number;
}

const smoothDefaults: Readonly<Record<Smoothing, number | null>> = { none: null, floor: 0.1, 'add-k': 1, exp: null };

/** sacreBLEU's logarithm of 0: low, and finite. */
const logOfZero = -9999999999;
const log = (x: number): number => (x === 0 ? logOfZero : Math.log(x));

export interface BleuSums {
  readonly counts: readonly number[];
  readonly totals: readonly number[];
  readonly systemLength: number;
  readonly referenceLength: number;
}

/** BLEU from counts that are already there. Options as for `bleu`. */
export function bleuFromCounts(
  { counts, totals, systemLength, referenceLength }: BleuSums,
  {
    smooth = 'exp',
    smoothValue,
    effectiveOrder = false,
  }: Omit<BleuOptions, 'tokenize' | 'lowercase' | 'maxOrder'> = {},
  single = false,
): BleuScore {
  const orders = counts.length;
  const value = smoothValue ?? smoothDefaults[smooth] ?? 0;
  const bp = systemLength >= referenceLength ? 1 : systemLength > 0 ? Math.exp(1 - referenceLength / systemLength) : 0;
  const matched = counts.slice();
  const total = totals.slice();
  const precisions = new Array<number>(orders).fill(0);
  let score = 0;
  if (matched.some(count => count !== 0)) {
    const plus = (x: number): number => (single ? Math.fround(x + value) : x + value);
    let halvings = 1;
    let order = orders;
    for (let n = 0; n < orders; n++) {
      if (smooth === 'add-k' && n > 0) {
        matched[n] = plus(matched[n]!);
        total[n] = plus(total[n]!);
      }
      if (total[n] === 0) break;
      if (effectiveOrder) order = n + 1;
      if (matched[n] !== 0) precisions[n] = (100 * matched[n]!) / total[n]!;
      else if (smooth === 'exp') precisions[n] = 100 / ((halvings *= 2) * total[n]!);
      else if (smooth === 'floor') precisions[n] = (100 * value) / total[n]!;
    }
    let sum = 0;
    for (let n = 0; n < order; n++) sum += log(precisions[n]!);
    score = bp * Math.exp(sum / order);
  }
  return {
    name: 'BLEU',
    score,
    counts: matched,
    totals: total,
    precisions,
    bp,
    systemLength,
    referenceLength,
    get verbose() {
      const ratio = referenceLength === 0 ? 0 : systemLength / referenceLength;
      const parts = precisions.map(p => fixed(p, 1)).join('/');
      return `${parts} (BP = ${fixed(bp, 3)} ratio = ${fixed(ratio, 3)} hyp_len = ${systemLength} ref_len = ${referenceLength})`;
    },
  };
}

/**
 * BLEU of a corpus. Statistics of a segment: hypothesis length, closest reference length, matches of each order,
 * n-grams of each order.
 *
 * @throws E_CONFIG for an order or smoothing that makes no sense
 */
export function bleu(options: BleuOptions = {}): CorpusMetric<BleuScore> {
  const { lowercase = false, smooth = 'exp', smoothValue, maxOrder = 4, effectiveOrder = false } = options;
  if (!(Number.isInteger(maxOrder) && maxOrder >= 1 && maxOrder <= 64))
    fail('E_CONFIG', `bleu: expected maxOrder from 1 to 64, received ${maxOrder}. 4 is usual.`, { maxOrder });
  if (!Object.hasOwn(smoothDefaults, smooth))
    fail(
      'E_CONFIG',
      `bleu: expected smooth ${Object.keys(smoothDefaults).join(', ')}, received '${smooth}'. exp is usual.`,
      { smooth },
    );
  if (smoothValue !== undefined && !(smoothValue >= 0 && Number.isFinite(smoothValue)))
    fail('E_CONFIG', `bleu: expected smoothValue from 0 up, received ${smoothValue}. Leave it out for the usual one.`, {
      smoothValue,
    });
  const tokenizer = tokenizerOf(options.tokenize ?? '13a');
  const shown = (text: string): string => trimEnd(lowercase ? text.toLowerCase() : text);
  const cut = tokensOf(tokenizer);
  const tokens = (text: string): string[] => cut(shown(text));

  return {
    name: 'BLEU',
    higherIsBetter: true,
    single: true,
    width: 2 + 2 * maxOrder,
    warm: tokenizer.prepare && (lines => tokenizer.prepare!(lines.map(shown))),
    references(texts) {
      const known = vocabulary();
      const sequences = texts.map(text => known.learn(tokens(text)));
      const grams = ngramIndex(
        maxOrder,
        sequences.reduce((sum, { length }) => sum + length, 0),
      );
      for (const sequence of sequences) grams.add(sequence);
      return {
        compare(hypothesis, into, at) {
          const sequence = known.look(tokens(hypothesis));
          const { length } = sequence;
          into.fill(0, at, at + 2 + 2 * maxOrder);
          into[at] = length;
          into[at + 1] = closest(length, sequences);
          grams.match(sequence, into, at + 2, 1);
          for (let n = 0; n < maxOrder; n++) into[at + 2 + maxOrder + n] = Math.max(0, length - n);
        },
      };
    },
    score(sums, single = false) {
      const counts: number[] = [];
      const totals: number[] = [];
      for (let n = 0; n < maxOrder; n++) {
        counts.push(sums[2 + n]!);
        totals.push(sums[2 + maxOrder + n]!);
      }
      const lengths = { systemLength: Math.trunc(sums[0]!), referenceLength: Math.trunc(sums[1]!) };
      return bleuFromCounts({ ...lengths, counts, totals }, { smooth, smoothValue, effectiveOrder }, single);
    },
    signature: facts =>
      signatureOf(facts, {
        case: lowercase ? 'lc' : 'mixed',
        eff: effectiveOrder ? 'yes' : 'no',
        tok: tokenizer.signature,
        smooth:
          smoothDefaults[smooth] === null ? smooth : `${smooth}[${fixed(smoothValue ?? smoothDefaults[smooth], 2)}]`,
      }),
  };
}

/** Of two reference lengths as near, the shorter. */
function closest(length: number, references: readonly ArrayLike<number>[]): number {
  let best = -1;
  for (const { length: other } of references) {
    const distance = Math.abs(other - length);
    const before = Math.abs(best - length);
    if (best < 0 || distance < before || (distance === before && other < best)) best = other;
  }
  return best;
}
