/** Kind `mt-metrics`: what sacreBLEU gives. */

import type { GoldenCase, GoldenFile, GoldenKind } from '@heddle/core/testing/golden';
import { corpusScore, sentenceScore } from '../corpus.js';
import { formatScore } from '../format.js';
import type { CorpusMetric, Score } from '../metric.js';
import { optionalTokenizers } from '../tokenizers/optional.js';
import { tercom } from '../tokenizers/tercom.js';
import { builtin, type BuiltinTokenizer } from '../tokenizers/builtin.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { bleu, type BleuScore, type Smoothing } from '../translation/bleu.js';
import { chrf } from '../translation/chrf.js';
import { ter, type TerScore } from '../translation/ter.js';
import { caseFrom, rowsOf, startsWith, type Part, type Row } from './compare.js';
import { readSystems } from './systems.node.js';
import { significance } from './mt-significance.node.js';
import { unitTest } from './mt-unit-tests.js';

type Family = (row: Row, id: string, file: GoldenFile) => Promise<GoldenCase> | GoldenCase;

/** Names of sacreBLEU's options, as its keyword arguments. */
type Keywords = Readonly<Record<string, unknown>>;

const bleuOf = (options: Keywords): CorpusMetric<BleuScore> =>
  bleu({
    tokenize: (options['tokenize'] as BuiltinTokenizer | undefined) ?? '13a',
    lowercase: options['lowercase'] as boolean | undefined,
    smooth: options['smooth_method'] as Smoothing | undefined,
    smoothValue: (options['smooth_value'] as number | null | undefined) ?? undefined,
    maxOrder: options['max_ngram_order'] as number | undefined,
    effectiveOrder: options['effective_order'] as boolean | undefined,
  });

const chrfOf = (options: Keywords): CorpusMetric =>
  chrf({
    charOrder: options['char_order'] as number | undefined,
    wordOrder: options['word_order'] as number | undefined,
    beta: options['beta'] as number | undefined,
    lowercase: options['lowercase'] as boolean | undefined,
    whitespace: options['whitespace'] as boolean | undefined,
    epsSmoothing: options['eps_smoothing'] as boolean | undefined,
  });

const terOf = (options: Keywords): CorpusMetric<TerScore> =>
  ter({
    normalized: options['normalized'] === true,
    noPunctuation: options['no_punct'] === true,
    asianSupport: options['asian_support'] === true,
    caseSensitive: options['case_sensitive'] === true,
  });

/** What rows call the details of a score. */
const details: Readonly<Record<string, string>> = {
  counts: 'counts',
  totals: 'totals',
  precisions: 'precisions',
  bp: 'bp',
  sysLen: 'systemLength',
  refLen: 'referenceLength',
  numEdits: 'edits',
  refLength: 'referenceLength',
};

const corpus: Family = async (row, id, file) => {
  const table = await readSystems(file.path, row['file'] as string);
  const rows = row['rows'] as number | undefined;
  const hypotheses = table.system(row['system'] as string).slice(0, rows);
  const references = table.references.slice(0, rows);
  const options = (row['params'] ?? {}) as Keywords;
  const metric = metricOf(row['metric'] as string, options);
  const { score, signature } = corpusScore(metric, hypotheses, [references]);
  const parts: Part[] = [{ name: 'score', expected: row['score'], found: score.score }];
  for (const [name, own] of Object.entries(details))
    if (name in row) parts.push({ name, expected: row[name], found: (score as unknown as Row)[own] });
  if ('signature' in row) parts.push({ name: 'signature', expected: row['signature'], found: signature });
  if ('formatted' in row) parts.push({ name: 'formatted', expected: row['formatted'], found: formatScore(score) });
  return caseFrom(id, parts);
};

function metricOf(name: string, options: Keywords): CorpusMetric<Score> {
  if (name === 'bleu') return bleuOf(options);
  if (name === 'chrf') return chrfOf(options);
  if (name === 'ter') return terOf(options);
  throw new Error(`no metric '${name}' is implemented`);
}

/** `Tokenizer13a` → `13a`. */
const tokenizerNamed = (name: string): BuiltinTokenizer => {
  const found = Object.keys(builtin).find(
    one => `tokenizer${one}` === name.toLowerCase() || `${one}tokenizer` === name.toLowerCase(),
  );
  if (found === undefined && /International/.test(name)) return 'intl';
  if (found === undefined) throw new Error(`no tokeniser '${name}' is implemented`);
  return found as BuiltinTokenizer;
};

const sentence: Family = async (row, id, file) => {
  const table = await readSystems(file.path, row['file'] as string);
  const at = row['row'] as number;
  const hypothesis = table.system(row['system'] as string)[at]!;
  const tokenize = tokenizerNamed(row['bleuTok'] as string);
  const asian = tokenize === 'zh';
  const metrics: Readonly<Record<string, CorpusMetric>> = {
    bleu: bleu({ tokenize, effectiveOrder: true }),
    chrf: chrf(),
    chrfpp: chrf({ wordOrder: 2 }),
    ter: ter({ normalized: asian, asianSupport: asian }),
  };
  return caseFrom(
    id,
    Object.entries(metrics)
      .filter(([name]) => name in row)
      .map(([name, metric]) => ({
        name,
        expected: row[name],
        found: sentenceScore(metric, hypothesis, [table.references[at]!]).score,
      })),
  );
};

/** Variants of Tercom's normaliser in the tables of tokenisations. */
const terVariants: Readonly<Record<string, (line: string) => string>> = {
  'ter-default': tercom().tokenize,
  'ter-norm-asian': tercom({ normalized: true, asianSupport: true }).tokenize,
  'ter-norm': tercom({ normalized: true }).tokenize,
  'ter-nopunct': tercom({ noPunctuation: true }).tokenize,
  'ter-cased': tercom({ caseSensitive: true }).tokenize,
};

/** MeCab, where it is installed. */
let opened: Promise<Tokenizer | null> | undefined;
const japanese = (): Promise<Tokenizer | null> =>
  (opened ??= optionalTokenizers
    .find(({ name }) => name === 'ja-mecab')!
    .open(null)
    .catch(() => null));

const tokenizations: Family = async (row, id) => {
  const text = row['text'] as string;
  const parts: Part[] = [];
  for (const [name, expected] of Object.entries(row)) {
    if (name === 'text' || name === 'id') continue;
    const tokenize = Object.hasOwn(builtin, name) ? builtin[name as BuiltinTokenizer].tokenize : terVariants[name];
    if (tokenize !== undefined) parts.push({ name, expected, found: tokenize(text) });
    else if (name.startsWith('ja-mecab')) {
      // A program that may not be there: then its column is not compared, and the case says so.
      const mecab = await japanese();
      parts.push(
        mecab === null
          ? { name: `${name} left out, for mecab is not installed`, expected: '', found: '' }
          : { name, expected, found: mecab.tokenize(text) },
      );
    } else parts.push({ name, expected, found: `no tokeniser '${name}' is implemented` });
  }
  return caseFrom(id, parts);
};

/** By the start of the file's name. */
const families: Readonly<Record<string, Family>> = {
  'sacrebleu-corpus': corpus,
  'sacrebleu-ter': corpus,
  'sacrebleu-sentence': sentence,
  'sacrebleu-significance': significance,
  'sacrebleu-tokenizers': tokenizations,
  'sacrebleu-unittests': unitTest,
};

const familyOf = (name: string): Family | undefined =>
  Object.entries(families).find(([stem]) => startsWith(name, stem))?.[1];

export const mtMetrics: GoldenKind = {
  name: 'mt-metrics',
  recognises: name => /\.jsonl?$/.test(name) && familyOf(name) !== undefined,
  ignores: name => name.startsWith('systems/'),
  async *check(file) {
    const family = familyOf(file.name)!;
    for (const [at, row] of rowsOf(await file.text(), file.name).entries()) {
      const id = [row['id'] ?? at, row['file'], row['system'], row['metric'] ?? row['test']]
        .filter(part => part !== undefined)
        .join(' ');
      try {
        yield await family(row, id, file);
      } catch (error) {
        yield {
          id,
          passed: false,
          detail: `throws: ${error instanceof Error ? error.message : String(error)}`,
          error: Infinity,
        };
      }
    }
  },
};
