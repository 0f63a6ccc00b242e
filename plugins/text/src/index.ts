/** Text for models: tokenisers, corpora, packed batches of documents and bucketed batches of pairs. */

import { COMMANDS, DATA, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands.js';
import { pairsSource } from './parallel/source.node.js';
import { textSource } from './source.js';
import { version } from './version.js';

export { bpeTokenizer } from './bpe.js';
export { bpeFromGpt2, type Gpt2Files } from './bpe-gpt2.js';
export type { BpeParts, Merge } from './bpe-parts.js';
export { trainBpe, type TrainBpeOptions } from './bpe-train.js';
export { byteTokenizer } from './byte.js';
export { catalogLanguages, readCatalogs, type CatalogOptions, type CatalogReading } from './catalog/catalogs.node.js';
export { readCatalog, type Catalog, type Message } from './catalog/mo.js';
export { split, type Document, type Split, type SplitOptions } from './corpus.js';
export { readBytes, readDocuments, readText, textEndings, type Reading, type ReadOptions } from './corpus.node.js';
export type { EpochCursor } from './cursor.js';
export { endOf, packDocuments, packedBatches } from './packed.js';
export type { PackedBatch, PackedBatches, PackedCursor, PackedOptions, PackedTokens } from './packed.js';
export { huggingFaceTokenizer, type HuggingFaceOptions } from './hugging-face.js';
export {
  pairBatches,
  type BatchShape,
  type PairBatch,
  type PairBatches,
  type PairBatchOptions,
  type PairTensors,
} from './parallel/batches.js';
export { chooseBuckets, type Bucket } from './parallel/buckets.js';
export {
  encodePairs,
  endsOf,
  languageTag,
  sourceIds,
  type EncodedPairs,
  type EncodeOptions as EncodePairsOptions,
  type Ends,
} from './parallel/encode.js';
export { linesOf, type NamedText } from './json-lines.js';
export { corpusFrom, readCorpus, type Corpus } from './parallel/corpora.node.js';
export { readPairs, type PairFiles } from './parallel/files.node.js';
export { filterPairs, type PairFilter } from './parallel/filter.js';
export {
  generateCorrections,
  generatePairs,
  generateSummaries,
  type GrammarOptions,
  type GrammarTaskOptions,
} from './parallel/grammar/generate.js';
export { grammarLanguages, grammarMeanings } from './parallel/grammar/sentences.js';
export { capTargets, repeatedTargets, type CappedTargets } from './parallel/cap-targets.js';
export { drawRates, type Mixture } from './parallel/mixture.js';
export { holdOut, wordsOf, type HeldOut, type HoldOutOptions, type Part } from './parallel/hold-out.js';
export { pairsFromJsonl, pairsFromLines, pairsFromTsv, type Column } from './parallel/lines.js';
export { pairsFromM2 } from './parallel/m2.js';
export { describeDropped, type Dropped, type Pair, type PairReading } from './parallel/pair.js';
export { openPairs, type CorpusReport, type OpenedPairs, type PairsOptions } from './parallel/source.node.js';
export { permutation } from './permutation.js';
export { sentencePieceFromModel } from './sentencepiece/model-file.js';
export type { NormalizerParts, Piece, PieceKind, SentencePieceParts } from './sentencepiece/parts.js';
export { sentencePieceTokenizer } from './sentencepiece/tokenizer.js';
export { trainUnigram, type TrainUnigramOptions } from './sentencepiece/train.js';
export { openText, textSource, type TextOptions } from './source.js';
export type { DecodeOptions, Decoder, EncodeOptions, Specials, Tokenizer, TokenizerJson } from './tokenizer.js';
export { tokenizerFrom } from './tokenizer-from.js';
export { readGpt2, readTokenizer, saveTokenizer } from './tokenizer.node.js';

// Pure: who imports one tokeniser need not bundle the sources.
export default /* @__PURE__ */ definePlugin({
  name: '@heddle/text',
  version,
  register(container) {
    contribute(container, DATA, textSource, pairsSource);
    contribute(container, COMMANDS, ...commands);
  },
});
