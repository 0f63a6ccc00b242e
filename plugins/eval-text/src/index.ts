/** Evaluation of text: translation, summarisation, grammar correction, classification, with tests of differences. */

import { COMMANDS, METRICS, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands.js';
import { metrics } from './metrics.js';
import { optionalTokenizers, TOKENIZERS } from './tokenizers/optional.js';
import { version } from './version.js';

export { auroc } from './classification/auroc.js';
export {
  addConfusions,
  classificationScores,
  confusion,
  type ClassificationScores,
  type ClassScore,
  type Confusion,
} from './classification/confusion.js';
export { exactMatch, tokenAccuracy, type MatchOptions } from './classification/matches.js';
export { addLikelihoods, bitsPerByte, likelihoodOf, perplexity, type Likelihood } from './classification/perplexity.js';
export { errantCompare, type Agreement, type ErrantOptions, type ErrantResult } from './correction/errant.js';
export type { EditScore } from './correction/f-score.js';
export { gleu, type GleuOptions, type GleuResult } from './correction/gleu.js';
export { parseM2, type M2Edit, type M2Sentence } from './correction/m2.js';
export { maxMatch, type MaxMatchOptions, type MaxMatchResult } from './correction/max-match.js';
export {
  corpusScore,
  documentScores,
  segmentScores,
  sentenceScore,
  statisticsOf,
  sumOf,
  type CorpusResult,
  type ReferenceStream,
  type Statistics,
} from './corpus.js';
export { formatScore, type FormatOptions } from './format.js';
export {
  identifier,
  trainLanguages,
  type Identified,
  type LanguageModel,
  type TrainOptions,
} from './language/model.js';
export { offTarget, type OffTarget } from './language/off-target.js';
export { checkTokenizer, scriptWithoutSpaces, tokenizerForLanguage, type SpokenScript } from './language/scripts.js';
export {
  sacrebleuVersion,
  type CorpusMetric,
  type PreparedReferences,
  type Score,
  type SignatureFacts,
} from './metric.js';
export { kernelMetric } from './metrics.js';
export { pcg64, type Generator } from './random/pcg64.js';
export { aggregateRouge, type AggregateOptions, type RougeAggregate } from './rouge/aggregate.js';
export { rougeMetric, type RougeMean } from './rouge/metric.js';
export { porterStem } from './rouge/porter.js';
export {
  rouge,
  rougeMulti,
  rougeTokens,
  type RougeOptions,
  type RougeScore,
  type RougeType,
  type UsualRougeType,
} from './rouge/rouge.js';
export {
  bootstrap,
  pairedTest,
  pairedTester,
  type PairedOptions,
  type PairedResult,
  type PairedTable,
  type PairedTest,
  type System,
} from './significance/paired.js';
export type { Interval } from './significance/resamples.js';
export { tokenizerNames, tokenizerOf, type BuiltinTokenizer, type Tokenizer } from './tokenizers/index.js';
export { TOKENIZERS, type TokenizerOffer } from './tokenizers/optional.js';
export { tercom, type TercomOptions } from './tokenizers/tercom.js';
export {
  bleu,
  bleuFromCounts,
  type BleuOptions,
  type BleuScore,
  type BleuSums,
  type Smoothing,
} from './translation/bleu.js';
export { chrf, type ChrfOptions } from './translation/chrf.js';
export { ter, type TerOptions, type TerScore } from './translation/ter.js';

// Pure: who imports one metric need not bundle the commands.
export default /* @__PURE__ */ definePlugin({
  name: '@heddle/eval-text',
  version,
  register(container) {
    contribute(container, METRICS, ...metrics);
    contribute(container, COMMANDS, ...commands);
    contribute(container, TOKENIZERS, ...optionalTokenizers);
  },
});
