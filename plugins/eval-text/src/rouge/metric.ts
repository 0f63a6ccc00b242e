/** ROUGE as a metric of a corpus: means over segments. */

import { signatureOf, type CorpusMetric, type Score } from '../metric.js';
import { fixed } from '../text/decimal.js';
import { rougeMulti, rougeType, type RougeType } from './rouge.js';

export interface RougeMean extends Score {
  /** Means, in percent. */
  readonly precision: number;
  readonly recall: number;
}

/** Mean F-measure, in percent. Statistics of a segment: precision, recall, F, and 1. */
export function rougeMetric(
  name: string,
  { stem = false }: { readonly stem?: boolean | undefined } = {},
): CorpusMetric<RougeMean> {
  const type: RougeType = rougeType(name);
  return {
    name: type,
    higherIsBetter: true,
    width: 4,
    references: texts => ({
      compare(hypothesis, into, at) {
        const { precision, recall, f } = rougeMulti(hypothesis, texts, { types: [type], stem })[type];
        into.set([precision, recall, f, 1], at);
      },
    }),
    score(sums) {
      const [precision, recall, f] = [0, 1, 2].map(k => (sums[3]! > 0 ? (100 * sums[k]!) / sums[3]! : 0)) as [
        number,
        number,
        number,
      ];
      return {
        name: type,
        score: f,
        precision,
        recall,
        verbose: `(P = ${fixed(precision, 2)} R = ${fixed(recall, 2)})`,
      };
    },
    signature: facts => signatureOf(facts, { stem: stem ? 'porter' : 'no' }, { like: 'rouge_score' }),
  };
}
