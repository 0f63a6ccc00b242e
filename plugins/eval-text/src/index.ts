/** Evaluation of text. */
export {
  corpusScore,
  documentScores,
  referenceCount,
  segmentScores,
  sentenceScore,
  statisticsOf,
  sumOf,
} from './corpus.js';
export { formatScore } from './format.js';
export { bleu, bleuFromCounts } from './translation/bleu.js';
export { chrf } from './translation/chrf.js';
export { ter } from './translation/ter.js';
export { tokenizerOf, tokenizerNames } from './tokenizers/index.js';
export { tercom } from './tokenizers/tercom.js';
export { fixed } from './text/decimal.js';
