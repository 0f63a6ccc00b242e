/** ROUGE (Lin 2004) as Google's rouge_score computes it. */

import { fail } from '@heddle/core';
import { ngramIndex, vocabulary } from '../text/ngrams.js';
import { commonLength, markCommon } from './common.js';
import { porterStem } from './porter.js';

/** `rouge1` to `rouge9`, `rougeL`, and `rougeLsum`, which takes lines for sentences. */
export type RougeType = `rouge${1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9}` | 'rougeL' | 'rougeLsum';

/** What `rouge` computes unless told. */
export type UsualRougeType = 'rouge1' | 'rouge2' | 'rougeL' | 'rougeLsum';

export interface RougeOptions<T extends RougeType = UsualRougeType> {
  /** Default `rouge1`, `rouge2`, `rougeL`, `rougeLsum`. */
  readonly types?: readonly T[] | undefined;
  /** Compare stems of words longer than three letters. Default false, as rouge_score. */
  readonly stem?: boolean | undefined;
}

/** Each from 0 to 1. */
export interface RougeScore {
  readonly precision: number;
  readonly recall: number;
  readonly f: number;
}

export const usualRougeTypes: readonly UsualRougeType[] = ['rouge1', 'rouge2', 'rougeL', 'rougeLsum'];

/**
 * Lower-cased runs of ASCII letters and digits; everything else parts words. So other scripts have no words at all:
 * rouge_score gives 0 for them, and so does this.
 */
export function rougeTokens(text: string, stem = false): string[] {
  const tokens = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return stem ? tokens.map(token => (token.length > 3 ? porterStem(token) : token)) : tokens;
}

const nothing: RougeScore = { precision: 0, recall: 0, f: 0 };

function scoreOf(hits: number, predicted: number, expected: number): RougeScore {
  const [precision, recall] = [hits / predicted, hits / expected];
  return { precision, recall, f: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0 };
}

/** @throws E_UNKNOWN for another name */
export function rougeType(name: string): RougeType {
  return /^rouge([1-9]|L|Lsum)$/.test(name)
    ? (name as RougeType)
    : fail(
        'E_UNKNOWN',
        `rouge: expected rouge1 to rouge9, rougeL or rougeLsum, received '${name}'. ${usualRougeTypes.join(', ')} are usual.`,
        { name },
      );
}

/**
 * Scores one prediction.
 *
 * @returns a score for each type
 * @throws E_UNKNOWN for a type that is none
 */
export function rouge<T extends RougeType = UsualRougeType>(
  prediction: string,
  reference: string,
  { types = usualRougeTypes as readonly RougeType[] as readonly T[], stem = false }: RougeOptions<T> = {},
): Readonly<Record<T, RougeScore>> {
  const known = vocabulary();
  const [expected, predicted] = [reference, prediction].map(text => known.learn(rougeTokens(text, stem))) as [
    Int32Array,
    Int32Array,
  ];
  const scores = types.map((type: RougeType): readonly [RougeType, RougeScore] => {
    if (rougeType(type) === 'rougeL') return [type, longest(predicted, expected)];
    if (type === 'rougeLsum') return [type, summary(sentences(prediction, stem), sentences(reference, stem))];
    return [type, ngrams(predicted, expected, Number(type.slice(5)))];
  });
  return Object.fromEntries(scores) as Record<T, RougeScore>;
}

/** Of several references the one with the best F-measure counts, type by type, as rouge_score's `score_multi`. */
export function rougeMulti<T extends RougeType = UsualRougeType>(
  prediction: string,
  references: readonly string[],
  options: RougeOptions<T> = {},
): Readonly<Record<T, RougeScore>> {
  if (references.length === 0) fail('E_REFERENCE', 'rouge: expected at least one reference, received none. Give one.');
  const all = references.map(reference => rouge(prediction, reference, options));
  const types = Object.keys(all[0]!) as T[];
  return Object.fromEntries(
    types.map(type => [type, all.map(scores => scores[type]).reduce((best, one) => (one.f > best.f ? one : best))]),
  ) as Record<T, RougeScore>;
}

function ngrams(predicted: Int32Array, expected: Int32Array, order: number): RougeScore {
  const [a, b] = [predicted, expected].map(({ length }) => Math.max(0, length - order + 1)) as [number, number];
  const index = ngramIndex(order, expected.length);
  index.add(expected);
  const hits = new Float64Array(order);
  index.match(predicted, hits, 0, 1);
  return scoreOf(hits[order - 1]!, Math.max(a, 1), Math.max(b, 1));
}

function longest(predicted: Int32Array, expected: Int32Array): RougeScore {
  if (predicted.length === 0 || expected.length === 0) return nothing;
  return scoreOf(commonLength(expected, predicted), predicted.length, expected.length);
}

const sentences = (text: string, stem: boolean): string[][] =>
  text
    .split('\n')
    .filter(line => line !== '')
    .map(line => rougeTokens(line, stem));

/** Summary level (section 3.2 of the paper): the union of common subsequences, each word counted as often as both have it. */
function summary(predicted: readonly string[][], expected: readonly string[][]): RougeScore {
  const total = (all: readonly string[][]): number => all.reduce((sum, { length }) => sum + length, 0);
  const [n, m] = [total(predicted), total(expected)];
  if (n === 0 || m === 0) return nothing;
  const known = vocabulary();
  const [candidates, references] = [predicted, expected].map(all => all.map(one => known.learn(one))) as [
    Int32Array[],
    Int32Array[],
  ];
  const [left, right] = [candidates, references].map(all => {
    const counts = new Int32Array(n + m);
    for (const one of all) for (const symbol of one) counts[symbol]! += 1;
    return counts;
  }) as [Int32Array, Int32Array];
  let hits = 0;
  for (const reference of references) {
    const common = new Uint8Array(reference.length);
    for (const candidate of candidates) markCommon(reference, candidate, common);
    for (const [at, symbol] of reference.entries()) {
      if (common[at] === 0 || left[symbol]! <= 0 || right[symbol]! <= 0) continue;
      hits++;
      left[symbol]! -= 1;
      right[symbol]! -= 1;
    }
  }
  return scoreOf(hits, n, m);
}
