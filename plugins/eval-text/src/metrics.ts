/** Metrics for the kernel: statistics of a pair add up, so that training shows a score without keeping the corpus. */

import type { Metric } from '@heddle/core';
import { exactMatch, tokenAccuracy } from './classification/matches.js';
import {
  addConfusions,
  classificationScores,
  confusion,
  type ClassificationScores,
  type Confusion,
} from './classification/confusion.js';
import { referencesGiven } from './corpus.js';
import type { CorpusMetric } from './metric.js';
import { rougeMetric } from './rouge/metric.js';
import { trim } from './text/whitespace.js';
import { bleu } from './translation/bleu.js';
import { chrf } from './translation/chrf.js';
import { ter } from './translation/ter.js';

/** Any corpus metric under a name, for METRICS. */
export function kernelMetric(name: string, metric: CorpusMetric): Metric<Float64Array> {
  return {
    name,
    observe(hypothesis, references) {
      const found = new Float64Array(metric.width);
      metric.references(referencesGiven(references, name)).compare(hypothesis, found, 0);
      return found;
    },
    add: (left, right) => left.map((value, k) => value + right[k]!),
    score: statistics => metric.score(statistics).score,
  };
}

/** Labels compared: the hypothesis and the first reference, white space at the ends aside. */
const labels = (name: string, read: (scores: ClassificationScores) => number): Metric<Confusion> => ({
  name,
  observe: (hypothesis, references) => confusion([trim(hypothesis)], [trim(referencesGiven(references, name)[0]!)]),
  add: addConfusions,
  score: table => read(classificationScores(table)),
});

/**
 * What the plugin contributes: in percent, but for `macro-f1` (percent too) and `mcc` (-1 to 1). `ter` is lower for
 * better systems. BLEU for languages without spaces is `bleu-zh` or `bleu-char`.
 */
export const metrics: readonly Metric[] = /* @__PURE__ */ (() =>
  [
    kernelMetric('bleu', bleu()),
    kernelMetric('bleu-intl', bleu({ tokenize: 'intl' })),
    kernelMetric('bleu-zh', bleu({ tokenize: 'zh' })),
    kernelMetric('bleu-char', bleu({ tokenize: 'char' })),
    kernelMetric('bleu-none', bleu({ tokenize: 'none' })),
    kernelMetric('chrf', chrf()),
    kernelMetric('chrf++', chrf({ wordOrder: 2 })),
    kernelMetric('ter', ter()),
    kernelMetric('rouge1', rougeMetric('rouge1', { stem: true })),
    kernelMetric('rouge2', rougeMetric('rouge2', { stem: true })),
    kernelMetric('rougeL', rougeMetric('rougeL', { stem: true })),
    kernelMetric('rougeLsum', rougeMetric('rougeLsum', { stem: true })),
    kernelMetric('exact-match', exactMatch()),
    kernelMetric('token-accuracy', tokenAccuracy()),
    labels('accuracy', ({ accuracy }) => 100 * accuracy),
    labels('macro-f1', ({ macroF1 }) => 100 * macroF1),
    labels('mcc', ({ mcc }) => mcc),
  ] as readonly Metric[])();
