/** sacreBLEU's own parametrised tests: their arguments, and what their bodies do with them, each within its own epsilon. */

import type { GoldenCase } from '@heddle/core/testing/golden';
import { corpusScore, sentenceScore } from '../corpus.js';
import { fixed } from '../text/decimal.js';
import { tercom, type TercomOptions } from '../tokenizers/tercom.js';
import type { BuiltinTokenizer } from '../tokenizers/builtin.js';
import { bleu, bleuFromCounts, type Smoothing } from '../translation/bleu.js';
import { chrf, type ChrfOptions } from '../translation/chrf.js';
import { ter } from '../translation/ter.js';
import type { Row } from './compare.js';

/** What a test finds; compared within the epsilon, or exactly where that is 0. */
interface Outcome {
  readonly expected: unknown;
  readonly found: unknown;
  readonly epsilon: number;
}

type Arguments = Readonly<Record<string, unknown>>;
type Test = (args: Arguments) => Outcome;

const list = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : (value as readonly string[]);

/** A list of streams, or one stream. */
const streams = (value: unknown): readonly (readonly string[])[] =>
  Array.isArray(value) && Array.isArray(value[0]) ? (value as string[][]) : [list(value)];

/** sacreBLEU's `raw_corpus_bleu`. */
const raw = (hypotheses: unknown, references: unknown, smoothValue: number | undefined) =>
  corpusScore(
    bleu({ tokenize: 'none', smooth: 'floor', smoothValue, effectiveOrder: true }),
    list(hypotheses),
    streams(references),
  ).score;

const rawBleu: Test = ({ hypotheses, references, expected_bleu: expected }) => ({
  expected,
  found: raw(hypotheses, references, 0.01).score / 100,
  epsilon: 1e-8,
});

const keywords = (options: Arguments) => ({
  tokenize: (options['tokenize'] as BuiltinTokenizer | undefined) ?? '13a',
  lowercase: options['lowercase'] as boolean | undefined,
  smooth: options['smooth_method'] as Smoothing | undefined,
  smoothValue: options['smooth_value'] as number | undefined,
  effectiveOrder: options['use_effective_order'] as boolean | undefined,
});

interface Counts {
  readonly common: readonly number[];
  readonly total: readonly number[];
}

function countsOf(statistics: unknown) {
  const [first, systemLength, referenceLength] = statistics as [Counts | [number[], number[]], number, number];
  const [counts, totals] = Array.isArray(first) ? first : [first.common, first.total];
  return { counts, totals, systemLength, referenceLength };
}

/** The example of issue 98, and a pair without a word in common. */
const near = [
  'Producția de zahăr primă va fi exprimată în ceea ce privește zahărul alb;',
  'producţia de zahăr brut se exprimă în zahăr alb;',
] as const;
const apart = ['this is a cat', 'okay thanks'] as const;

const sentenceOf =
  ([hypothesis, reference]: readonly [string, string]): Test =>
  ({ smooth_method: smooth, smooth_value: value, lowercase, tok, expected_score: expected }) => ({
    expected,
    found: sentenceScore(
      bleu({
        tokenize: tok as BuiltinTokenizer,
        lowercase: lowercase as boolean,
        smooth: smooth as Smoothing,
        smoothValue: (value as number | null) ?? undefined,
        effectiveOrder: true,
      }),
      hypothesis,
      [reference],
    ).score,
    epsilon: 1e-3,
  });

const chrfOf =
  (options: ChrfOptions): Test =>
  ({ hypotheses, hypothesis, references, expected_score: expected }) => ({
    expected,
    found:
      hypothesis === undefined
        ? corpusScore(chrf(options), list(hypotheses), streams(references)).score.score
        : sentenceScore(chrf(options), hypothesis as string, list(references)).score,
    epsilon: 1e-4,
  });

const tokenizedBy =
  (options: TercomOptions): Test =>
  ({ input, expected }) => ({ expected, found: tercom(options).tokenize(input as string), epsilon: 0 });

const tests: Readonly<Record<string, Test>> = {
  test_raw_bleu: rawBleu,
  test_effective_order: rawBleu,
  test_corpus_bleu: ({ hypotheses, references, kwargs, expected_bleu: expected }) => ({
    expected,
    found: corpusScore(bleu(keywords((kwargs ?? {}) as Arguments)), list(hypotheses), references as string[][]).score
      .score,
    epsilon: 1e-8,
  }),
  test_scoring: ({ statistics, expected_score: expected }) => ({
    expected,
    found: bleuFromCounts(countsOf(statistics), { smooth: 'none' }).score / 100,
    epsilon: 1e-8,
  }),
  test_degenerate_statistics: ({ statistics, offset, expected_score: expected }) => ({
    expected,
    found: bleuFromCounts(countsOf(statistics), { smooth: 'floor', smoothValue: offset as number }).score / 100,
    epsilon: 0,
  }),
  test_statistics: ({ hypothesis, reference, expected_stat: expected }) => {
    const { counts, totals } = raw(hypothesis, reference, 0.01);
    return {
      expected,
      found: Array.isArray(expected) ? [counts, totals] : { common: counts, total: totals },
      epsilon: 0,
    };
  },
  test_offset: ({ hypothesis, reference, expected_with_offset: expected }) => ({
    expected,
    found: raw(hypothesis, reference, undefined).score / 100,
    epsilon: 1e-8,
  }),
  test_max_ngram_order: ({ order, hyps, refs, expected_bleu: expected }) => ({
    expected,
    found: fixed(corpusScore(bleu({ maxOrder: order as number }), list(hyps), refs as string[][]).score.score, 2),
    epsilon: 0,
  }),
  test_compat_sentence_bleu: sentenceOf(near),
  test_api_sentence_bleu: sentenceOf(near),
  test_api_sentence_bleu_zero: sentenceOf(apart),
  test_chrf: chrfOf({ beta: 3, epsSmoothing: true }),
  test_chrf_eff_order: chrfOf({ beta: 3 }),
  test_chrf_keep_whitespace: chrfOf({ beta: 3, whitespace: true }),
  test_chrf_sentence_level: chrfOf({ epsSmoothing: true }),
  test_ter: ({ hypotheses, references, expected_score: expected }) => ({
    expected: 100 * (expected as number),
    found: corpusScore(ter(), list(hypotheses), streams(references)).score.score,
    epsilon: 1e-3,
  }),
  test_ter_tokenizer_default: tokenizedBy({}),
  test_ter_tokenizer_nopunct: tokenizedBy({ noPunctuation: true }),
  test_ter_tokenizer_norm: tokenizedBy({ normalized: true }),
  test_ter_tokenizer_asian: tokenizedBy({ normalized: true, asianSupport: true }),
};

export function unitTest(row: Row, id: string): GoldenCase {
  const name = row['function'] as string;
  const test = Object.hasOwn(tests, name) ? tests[name] : undefined;
  if (test === undefined) return { id, passed: false, detail: `no test '${name}' is known` };
  const values = row['args'] as readonly unknown[];
  const { expected, found, epsilon } = test(
    Object.fromEntries((row['argNames'] as readonly string[]).map((argument, i) => [argument, values[i]])),
  );
  const passed =
    epsilon === 0
      ? JSON.stringify(expected) === JSON.stringify(found)
      : Math.abs((expected as number) - (found as number)) < epsilon;
  return { id, passed, detail: `expected ${JSON.stringify(expected)}, received ${JSON.stringify(found)}` };
}
