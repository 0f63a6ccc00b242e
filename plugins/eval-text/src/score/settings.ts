/** What was asked of `heddle score`, read from its options. */

import { fail } from '@heddle/core';
import type { Agreement } from '../correction/errant.js';
import { usualSeed, type PairedTest } from '../significance/paired.js';
import type { Smoothing } from '../translation/bleu.js';

export interface ScoreSettings {
  readonly references: readonly string[];
  readonly hypotheses: readonly string[];
  readonly data: string | null;
  readonly metrics: readonly string[];
  readonly language: string | null;
  readonly tokenizer: string | null;
  readonly tokenizerFile: string | null;
  readonly lowercase: boolean;
  readonly smooth: Smoothing;
  readonly smoothValue: number | undefined;
  readonly stem: boolean;
  readonly terNormalized: boolean;
  readonly terAsian: boolean;
  readonly missing: boolean;
  readonly confidence: boolean;
  readonly paired: PairedTest | null;
  readonly samples: number | undefined;
  readonly seed: number;
  readonly sentenceLevel: boolean;
  readonly documents: string | null;
  readonly sources: string | null;
  readonly beta: number;
  readonly agree: Agreement;
  readonly languageTexts: Readonly<Record<string, string>>;
  readonly report: string | null;
  readonly width: number;
  readonly force: boolean;
  readonly json: boolean;
}

type Options = Readonly<Record<string, unknown>>;

const textOf = (options: Options, name: string): string | null => {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : null;
};

const listOf = (options: Options, name: string): readonly string[] => {
  const value = options[name];
  return (Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : []).filter(
    one => one !== '',
  );
};

function numberOf(options: Options, name: string, least: number, most: number, whole: boolean): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && number >= least && number <= most && (!whole || Number.isInteger(number)))
    return number;
  return fail(
    'E_OPTION',
    `${name}: expected a ${whole ? 'whole ' : ''}number from ${least} to ${most}, received ${JSON.stringify(value)}. Correct the option.`,
    { name, value },
  );
}

/** @throws E_OPTION, E_USAGE */
export function readSettings(options: Options): ScoreSettings {
  const [bootstrap, randomisation] = [options['pairedBs'] === true, options['pairedAr'] === true];
  if (bootstrap && randomisation)
    fail('E_USAGE', 'score: expected --paired-bs or --paired-ar, received both. Choose one test.');
  const [references, hypotheses, data] = [listOf(options, 'ref'), listOf(options, 'hyp'), textOf(options, 'data')];
  if (data === null && (references.length === 0 || hypotheses.length === 0))
    fail(
      'E_USAGE',
      `score: expected references and system outputs, received no ${references.length === 0 ? '--ref' : '--hyp'}. Give --ref ref.txt --hyp system.txt, or --data table.tsv.`,
    );
  const pairs = listOf(options, 'languageText').map(pair => {
    const cut = pair.indexOf('=');
    return cut > 0
      ? ([pair.slice(0, cut), pair.slice(cut + 1)] as const)
      : fail(
          'E_OPTION',
          `language-text: expected pairs such as en=english.txt, received ${JSON.stringify(pair)}. Write language, =, file.`,
          { pair },
        );
  });
  return {
    references,
    hypotheses,
    data,
    metrics: (textOf(options, 'metric') ?? 'bleu,chrf')
      .split(',')
      .map(one => one.trim())
      .filter(one => one !== ''),
    language: textOf(options, 'targetLanguage'),
    tokenizer: textOf(options, 'tokenize'),
    tokenizerFile: textOf(options, 'tokenizerFile'),
    lowercase: options['lowercase'] === true,
    smooth: (textOf(options, 'smooth') ?? 'exp') as Smoothing,
    smoothValue: numberOf(options, 'smoothValue', 0, 1e6, false),
    stem: options['stem'] === true,
    terNormalized: options['terNormalized'] === true,
    terAsian: options['terAsian'] === true,
    missing: options['missing'] === true,
    confidence: options['confidence'] === true,
    paired: bootstrap ? 'bootstrap' : randomisation ? 'randomisation' : null,
    samples: numberOf(options, 'samples', 1, 1e6, true),
    seed: numberOf(options, 'seed', 0, Number.MAX_SAFE_INTEGER, true) ?? usualSeed,
    sentenceLevel: options['sentenceLevel'] === true,
    documents: textOf(options, 'docs'),
    sources: textOf(options, 'src'),
    beta: numberOf(options, 'beta', 1e-3, 1e3, false) ?? 0.5,
    agree: (textOf(options, 'agree') ?? 'correction') as Agreement,
    languageTexts: Object.fromEntries(pairs),
    report: textOf(options, 'report'),
    width: numberOf(options, 'width', 0, 15, true) ?? 2,
    force: options['force'] === true,
    json: options['json'] === true,
  };
}
