/** The data source `pairs`: from options as a command line or a config has them to batches of pairs. */

import { fail, type DataSource } from '@heddle/core';
import { checkOptions, numeric, numericOrNull, oneOf, tokenizerLike, type Rule } from '../options.js';
import type { Tokenizer, TokenizerJson } from '../tokenizer.js';
import { tokenizerOf } from '../tokenizer.node.js';
import { pairBatches, type PairBatches, type PairBatchOptions } from './batches.js';
import { corpusFrom, readCorpus, type Corpus } from './corpora.node.js';
import { encodePairs, type EncodeOptions } from './encode.js';
import { filterPairs, type PairFilter } from './filter.js';
import { holdOut, type HoldOutOptions, type Part } from './hold-out.js';
import { byCount, type Dropped, type Pair } from './pair.js';

export interface PairsOptions
  extends
    Omit<PairBatchOptions, 'seed'>,
    PairFilter,
    Omit<HoldOutOptions, 'seed'>,
    Pick<EncodeOptions, 'longer' | 'unknown'> {
  /** Corpora, or their names: see `corpusFrom`. */
  readonly corpora: string | Corpus | readonly (string | Corpus)[];
  /** A tokeniser, its JSON, or a file of it. Default: `byte`. */
  readonly tokenizer?: Tokenizer | TokenizerJson | string;
  /** Of the targets, where it is another. */
  readonly targetTokenizer?: Tokenizer | TokenizerJson | string;
  /** The most tokens of either side. Default 256. */
  readonly longestTokens?: number;
  /** Which part of the split. Default `train`. */
  readonly part?: Part;
  /** Of the split and the order. Default 0. */
  readonly seed?: number;
}

export interface OpenedPairs extends PairBatches {
  /** What became of each corpus, in the order given. */
  readonly corpora: readonly CorpusReport[];
}

export interface CorpusReport {
  /** The pairs of this part, as `rows` of a batch number them: references for scores. */
  readonly pairs: readonly Pair[];
  /** Examples looked at, in all parts. */
  readonly seen: number;
  readonly dropped: readonly Dropped[];
  /** Tokens that stand for characters the tokeniser does not know. */
  readonly unknown: number;
}

/** @throws as its parts do: E_OPTION, E_IO, E_UTF8, E_PAIRS, E_COLUMN, E_EMPTY, E_LANGUAGE, E_TOKEN, E_TOKENIZER */
export async function openPairs(options: PairsOptions): Promise<OpenedPairs> {
  const { tokenizer: given = 'byte', validation = 0, test = 0, part = 'train', seed = 0, longestTokens } = options;
  const tokenizer = await tokenizerOf(given);
  const targetTokenizer =
    options.targetTokenizer === undefined ? tokenizer : await tokenizerOf(options.targetTokenizer);
  const listed = [options.corpora].flat() as readonly (string | Corpus)[];
  if (part !== 'train' && !(options[part]! > 0))
    fail('E_OPTION', `part: expected one that has a share, received ${part} without. Give ${part}: 0.02, say.`, {
      part,
    });
  const reports: CorpusReport[] = [];
  const encoded = [];
  for (const one of listed) {
    const corpus = typeof one === 'string' ? corpusFrom(one) : one;
    const reading = filterPairs(await readCorpus(corpus), options);
    const held = holdOut(reading.pairs, { validation, test, seed })[part];
    const pairs = encodePairs(held, {
      tokenizer,
      targetTokenizer,
      ...(longestTokens === undefined ? {} : { longest: longestTokens }),
      ...(options.longer === undefined ? {} : { longer: options.longer }),
      ...(options.unknown === undefined ? {} : { unknown: options.unknown }),
      ...(corpus.language === undefined ? {} : { language: corpus.language }),
    });
    encoded.push(pairs);
    reports.push({
      seen: reading.seen,
      pairs: Array.from(pairs.pair, at => held[at]!),
      dropped: byCount(reading.dropped, pairs.dropped),
      unknown: pairs.unknown,
    });
  }
  return { ...pairBatches(encoded, { ...options, seed }), corpora: reports };
}

export const pairsSource: DataSource = {
  name: 'pairs',
  open: async options =>
    openPairs(checkOptions('pairs source', rules, options, ['corpora']) as unknown as PairsOptions),
};

const rules: Readonly<Record<string, Rule>> = {
  corpora: {
    what: 'a corpus, its name, or a list of them',
    fits: value =>
      [value].flat().length > 0 &&
      [value].flat().every(one => typeof one === 'string' || (typeof one === 'object' && one !== null)),
  },
  tokenizer: tokenizerLike,
  targetTokenizer: tokenizerLike,
  longest: numericOrNull,
  ratio: numericOrNull,
  duplicates: oneOf('pair', 'source', 'keep'),
  longestTokens: numeric,
  longer: oneOf('drop', 'cut', 'fail'),
  unknown: oneOf('keep', 'drop', 'fail'),
  validation: numeric,
  test: numeric,
  part: oneOf('train', 'validation', 'test'),
  seed: numeric,
  tokens: numeric,
  buckets: {
    what: 'a number or a list of { source, target }',
    fits: value => typeof value === 'number' || Array.isArray(value),
  },
  multiple: numeric,
  shuffle: oneOf(true, false),
  epochs: numericOrNull,
  temperature: numeric,
  quotas: {
    what: 'a list of shares and nulls',
    fits: value => Array.isArray(value) && value.every(one => one === null || typeof one === 'number'),
  },
  most: numeric,
};
