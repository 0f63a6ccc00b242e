/** What each metric keeps of the segments that pass, and what it says at the end. */

import { fail } from '@heddle/core';
import { auroc } from '../classification/auroc.js';
import { addConfusions, classificationScores, confusion, type Confusion } from '../classification/confusion.js';
import { exactMatch, tokenAccuracy } from '../classification/matches.js';
import { gleu } from '../correction/gleu.js';
import { statisticsOf, type Statistics } from '../corpus.js';
import type { LanguageModel } from '../language/model.js';
import { identifier } from '../language/model.js';
import type { CorpusMetric, Score } from '../metric.js';
import { rougeMetric } from '../rouge/metric.js';
import { usualRougeTypes } from '../rouge/rouge.js';
import { fixed } from '../text/decimal.js';
import { trim } from '../text/whitespace.js';
import type { Tokenizer } from '../tokenizers/tokenizer.js';
import { bleu } from '../translation/bleu.js';
import { chrf } from '../translation/chrf.js';
import { ter } from '../translation/ter.js';
import type { Chunk } from './inputs.node.js';
import type { ScoreSettings } from './settings.js';

/** A metric whose statistics add up, and so can be resampled. */
export interface SummedMetric {
  readonly kind: 'summed';
  readonly metric: CorpusMetric;
  add(chunk: Chunk): void;
  /** Sums of each system. */
  readonly sums: readonly Float64Array[];
  /** Of each system's segments; empty unless they were to be kept. */
  statistics(): readonly Statistics[];
}

/** A metric that gives a number for each system and no more. */
export interface PlainMetric {
  readonly kind: 'plain';
  add(chunk: Chunk): void;
  /** Of each system; several names where one pass gives several numbers. */
  scores(): readonly (readonly Score[])[];
}

export type Collected = SummedMetric | PlainMetric;

export interface CollectContext {
  readonly settings: ScoreSettings;
  readonly systems: number;
  readonly tokenizer: Tokenizer;
  /** Keep statistics of every segment. */
  readonly keep: boolean;
  readonly languages: LanguageModel | null;
}

export const correctionMetrics: readonly string[] = ['m2', 'errant'];

/** Every name that `--metric` takes, beside rouge1 to rouge9 and those of corrections. */
const known = [
  'bleu',
  'chrf',
  'chrf++',
  'ter',
  'rouge',
  'rougeL',
  'rougeLsum',
  'exact-match',
  'token-accuracy',
  'accuracy',
  'macro-f1',
  'mcc',
  'auroc',
  'gleu',
  'off-target',
];

/** @throws E_UNKNOWN for a name that is none, E_USAGE for what a metric lacks */
export function collectors(context: CollectContext): readonly Collected[] {
  const { settings } = context;
  const names = settings.metrics.flatMap((name): readonly string[] => (name === 'rouge' ? usualRougeTypes : [name]));
  const labels = names.filter(name => ['accuracy', 'macro-f1', 'mcc'].includes(name));
  return [...new Set(names)].flatMap((name): readonly Collected[] => {
    if (labels.includes(name)) return name === labels[0] ? [labelled(context, labels)] : [];
    if (name === 'auroc') return [ranked(context)];
    if (name === 'gleu') return [corrected(context)];
    if (name === 'off-target') return [spoken(context)];
    return [summed(context, metricNamed(name, context))];
  });
}

function metricNamed(name: string, { settings, tokenizer }: CollectContext): CorpusMetric {
  const { lowercase, smooth, smoothValue, stem } = settings;
  if (name === 'bleu')
    return bleu({ tokenize: tokenizer, lowercase, smooth, smoothValue, effectiveOrder: settings.sentenceLevel });
  if (name === 'chrf') return chrf({ lowercase });
  if (name === 'chrf++') return chrf({ lowercase, wordOrder: 2 });
  if (name === 'ter') return ter({ normalized: settings.terNormalized, asianSupport: settings.terAsian });
  if (name === 'exact-match') return exactMatch({ lowercase });
  if (name === 'token-accuracy') return tokenAccuracy({ lowercase });
  if (/^rouge([1-9]|L|Lsum)$/.test(name)) return rougeMetric(name, { stem });
  return fail(
    'E_UNKNOWN',
    `metric: expected ${[...known, ...correctionMetrics].join(', ')} or rouge1 to rouge9, received '${name}'. Correct --metric.`,
    { name, known },
  );
}

function summed({ systems, keep }: CollectContext, metric: CorpusMetric): SummedMetric {
  const { width } = metric;
  const sums = Array.from({ length: systems }, () => new Float64Array(width));
  const parts: Float64Array[][] = Array.from({ length: systems }, () => []);
  return {
    kind: 'summed',
    metric,
    sums,
    add({ hypotheses, references }) {
      for (const [s, { data }] of statisticsOf(metric, hypotheses, references).entries()) {
        for (let at = 0; at < data.length; at++) sums[s]![at % width]! += data[at]!;
        if (keep) parts[s]!.push(data);
      }
    },
    statistics: () =>
      parts.map(own => {
        const data = new Float64Array(own.reduce((length, part) => length + part.length, 0));
        let at = 0;
        for (const part of own) {
          data.set(part, at);
          at += part.length;
        }
        return { segments: data.length / width, width, data };
      }),
  };
}

const only = (references: Chunk['references'], i: number): string =>
  trim(references.map(stream => stream[i]).find(text => text !== null) ?? '');

function labelled({ systems }: CollectContext, wanted: readonly string[]): PlainMetric {
  const tables: Confusion[] = Array.from({ length: systems }, () => ({}));
  return {
    kind: 'plain',
    add({ hypotheses, references }) {
      for (const [s, own] of hypotheses.entries())
        tables[s] = addConfusions(
          tables[s]!,
          confusion(
            own.map(trim),
            own.map((_, i) => only(references, i)),
          ),
        );
    },
    scores: () =>
      tables.map(table => {
        const { accuracy, macroF1, mcc, samples, classes } = classificationScores(table);
        const verbose = `(${samples} samples, ${classes.length} classes)`;
        return wanted.map(name => ({
          name,
          verbose,
          score: name === 'accuracy' ? 100 * accuracy : name === 'mcc' ? mcc : 100 * macroF1,
        }));
      }),
  };
}

const positives = ['1', 'true', 'yes', 'positive', 'pos', '+', '+1'];
const negatives = ['0', 'false', 'no', 'negative', 'neg', '-', '-1'];

function ranked({ systems }: CollectContext): PlainMetric {
  const scores: number[][] = Array.from({ length: systems }, () => []);
  const truth: boolean[] = [];
  return {
    kind: 'plain',
    add({ hypotheses, references, from }) {
      for (let i = 0; i < hypotheses[0]!.length; i++) {
        const label = only(references, i).toLowerCase();
        if (!positives.includes(label) && !negatives.includes(label))
          fail(
            'E_LABEL',
            `auroc: expected 1 or 0 as reference of segment ${from + i + 1}, received ${JSON.stringify(label)}. References are classes, outputs are scores.`,
            { segment: from + i + 1 },
          );
        truth.push(positives.includes(label));
        for (const [s, own] of hypotheses.entries()) {
          const score = own[i]!.trim() === '' ? Number.NaN : Number(own[i]);
          if (Number.isNaN(score))
            fail(
              'E_LABEL',
              `auroc: expected a number as output of segment ${from + i + 1}, received ${JSON.stringify(own[i])}. Outputs are scores of the positive class.`,
              { segment: from + i + 1 },
            );
          scores[s]!.push(score);
        }
      }
    },
    scores: () =>
      scores.map(own => [
        {
          name: 'AUROC',
          verbose: `(${truth.filter(Boolean).length} of ${truth.length} positive)`,
          score: auroc(own, truth),
        },
      ]),
  };
}

function corrected({ settings, systems }: CollectContext): PlainMetric {
  if (settings.sources === null && settings.data === null)
    fail('E_USAGE', 'gleu: expected the texts that were corrected, received none. Give them with --src source.txt.');
  const texts: string[][] = Array.from({ length: systems }, () => []);
  const sources: string[] = [];
  const references: string[][] = [];
  return {
    kind: 'plain',
    add(chunk) {
      if (chunk.sources === null)
        fail('E_USAGE', 'gleu: expected the texts that were corrected, received none. Name their column with --src.');
      sources.push(...chunk.sources!);
      for (const [r, stream] of chunk.references.entries()) {
        const missing = stream.indexOf(null);
        if (missing >= 0)
          fail(
            'E_REFERENCE',
            `gleu: expected a reference in every stream, received none for segment ${chunk.from + missing + 1}. GLEU draws among them: give all.`,
            { segment: chunk.from + missing + 1 },
          );
        (references[r] ??= []).push(...(stream as string[]));
      }
      for (const [s, own] of chunk.hypotheses.entries()) texts[s]!.push(...own);
    },
    scores: () =>
      texts.map(own => {
        const { score, interval } = gleu(own, sources, references);
        return [
          { name: 'GLEU', score: 100 * score, verbose: `(95 %: ${interval.map(x => fixed(100 * x, 2)).join(' to ')})` },
        ];
      }),
  };
}

function spoken({ settings, systems, languages }: CollectContext): PlainMetric {
  const target = settings.language;
  if (languages === null || target === null)
    return fail(
      'E_USAGE',
      `off-target: expected ${languages === null ? 'text of each language, received none. Give --language-text en=english.txt de=german.txt' : 'the language asked for, received none. Give --target-language'}.`,
    );
  if (!Object.hasOwn(languages.languages, target))
    fail(
      'E_LANGUAGE',
      `off-target: expected text of '${target}' among --language-text, received ${Object.keys(languages.languages).join(', ')}. Add ${target}=FILE.`,
      { target },
    );
  const identify = identifier(languages);
  const counts = Array.from({ length: systems }, () => new Map<string | null, number>());
  return {
    kind: 'plain',
    add({ hypotheses }) {
      for (const [s, own] of hypotheses.entries())
        for (const text of own) {
          const { language } = identify(text);
          counts[s]!.set(language, (counts[s]!.get(language) ?? 0) + 1);
        }
    },
    scores: () =>
      counts.map(own => {
        const undecided = own.get(null) ?? 0;
        const decided = [...own].filter(([language]) => language !== null);
        const all = decided.reduce((sum, [, n]) => sum + n, 0);
        const others = decided.filter(([language]) => language !== target).sort((a, b) => b[1] - a[1]);
        const wrong = others.reduce((sum, [, n]) => sum + n, 0);
        const told = others.slice(0, 4).map(([language, n]) => `${n} ${String(language)}`);
        return [
          {
            name: 'off-target',
            score: all === 0 ? 0 : (100 * wrong) / all,
            verbose: `(${[`${wrong} of ${all}`, ...told, ...(undecided > 0 ? [`${undecided} undecided`] : [])].join(', ')})`,
          },
        ];
      }),
  };
}
