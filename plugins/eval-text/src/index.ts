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
export { porterStem } from './rouge/porter.js';
export { rouge, rougeMulti, rougeTokens } from './rouge/rouge.js';
export { aggregateRouge } from './rouge/aggregate.js';
export { pairedTest, bootstrap } from './significance/paired.js';
export { pcg64 } from './random/pcg64.js';
export { twister, pythonTwister, maskedBelow, pythonBelow } from './random/mt19937.js';
