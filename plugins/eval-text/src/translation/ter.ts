/** Translation edit rate (Snover et al. 2006) as sacreBLEU 2.6.0 computes it, after Tercom. */

import { signatureOf, type CorpusMetric, type Score } from '../metric.js';
import { vocabulary } from '../text/ngrams.js';
import { trimEnd, words } from '../text/whitespace.js';
import { tercom, type TercomOptions } from '../tokenizers/tercom.js';
import { translationEdits } from './shifts.js';

export type TerOptions = TercomOptions;

export interface TerScore extends Score {
  readonly edits: number;
  /** Words; with several references the mean of their lengths, added over segments. */
  readonly referenceLength: number;
}

/**
 * TER of a corpus, in edits for 100 words of the reference: lower is better. Statistics of a segment: edits to the
 * nearest reference, mean length of the references.
 */
export function ter(options: TerOptions = {}): CorpusMetric<TerScore> {
  const { normalized = false, noPunctuation = false, asianSupport = false, caseSensitive = false } = options;
  const tokenizer = tercom(options);
  const tokenized = (text: string): string => tokenizer.tokenize(trimEnd(text));
  const said = (yes: boolean): string => (yes ? 'yes' : 'no');
  return {
    name: 'TER',
    higherIsBetter: false,
    single: true,
    width: 2,
    references(texts) {
      const known = vocabulary();
      // References pass the normaliser twice in sacreBLEU, hypotheses once: `,5` becomes `, 5` only the second time.
      const sequences = texts.map(text => known.learn(words(tokenized(tokenized(text)))));
      const mean = sequences.reduce((sum, { length }) => sum + length, 0) / sequences.length;
      return {
        compare(hypothesis, into, at) {
          const sequence = known.look(words(tokenized(hypothesis)));
          let least = Infinity;
          for (const reference of sequences) least = Math.min(least, translationEdits(sequence, reference));
          into[at] = least;
          into[at + 1] = mean;
        },
      };
    },
    score(sums, single = false) {
      const [edits, referenceLength] = [sums[0]!, sums[1]!];
      const rate = referenceLength > 0 ? edits / referenceLength : edits > 0 ? 1 : 0;
      return {
        name: 'TER',
        score: 100 * (single ? Math.fround(rate) : rate),
        verbose: '',
        edits: Math.trunc(edits),
        referenceLength,
      };
    },
    signature: facts =>
      signatureOf(facts, {
        case: caseSensitive ? 'mixed' : 'lc',
        tok: tokenizer.signature,
        norm: said(normalized),
        punct: said(!noPunctuation),
        asian: said(asianSupport),
      }),
  };
}
