/** Transformers from named parts, and generation over a cache whose rows can fork. */

import { ATTENTION, FFN, MODELS, NORM, OPS, POSITIONS, contribute, definePlugin } from '@heddle/core';
import { cacheWriteOp } from './cache-write.js';
import { decoderFactory } from './decoder.js';
import { classifierFactory } from './classifier.js';
import { encoderDecoderFactory } from './encoder-decoder.js';
import { builtInParts } from './parts/built-in.js';
import { version } from './version.js';

export { cacheWrite, cacheWriteOp } from './cache-write.js';
export {
  decoderConfig,
  decoderPresets,
  encoderDecoderConfig,
  type DecoderConfig,
  type EncoderDecoderConfig,
  type PartialDecoderConfig,
  type PartialEncoderDecoderConfig,
  type PartOptions,
  type StackConfig,
} from './config.js';
export { decoderParameters, encoderDecoderParameters } from './count.js';
export { createDecoder, decoderFactory } from './decoder.js';
export { classifierFactory, createClassifier } from './classifier.js';
export { createEncoderDecoder, encoderDecoderFactory } from './encoder-decoder.js';
export { builtInParts, builtInSource, partsOf } from './parts/built-in.js';
export {
  defineAttention,
  standardAttention,
  type AttentionConfig,
  type AttentionPart,
  type AttentionRole,
  type AttentionView,
  type Memory,
} from './parts/attention.js';
export { dense, residual } from './parts/dense.js';
export { type FeedForwardConfig, type FeedForwardPart } from './parts/feed-forward.js';
export { type NormConfig, type NormPart } from './parts/norm.js';
export { type PositionConfig, type PositionPart, type Positions, type PositionSignals } from './parts/positions.js';
export {
  createGenerator,
  type Completion,
  type FinishReason,
  type GenerateEvent,
  type GenerateOptions,
  type Generator,
  type GeneratorOptions,
  type TextDecoder,
} from './generate/generator.js';
export {
  createBeamSearch,
  type BeamSearch,
  type BeamSearchOptions,
  type Hypothesis,
  type SearchOptions,
  type SearchResult,
} from './generate/beam.js';
export { type Path } from './generate/places.js';
export {
  createProgram,
  decodeGraph,
  encodeGraph,
  type DecodeProgram,
  type DecodeShape,
  type ProgramOptions,
} from './generate/program.js';
export type { Variants } from './generate/variants.js';
export { chooseToken, sampling, uniformAt, type Sampling, type SamplingOptions } from './generate/sampling.js';
export {
  openSession,
  type DecodeSession,
  type DecodeStep,
  type Feed,
  type Outlook,
  type StepResult,
} from './generate/session.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/transformer',
  version,
  register(container) {
    contribute(container, OPS, cacheWriteOp);
    contribute(container, MODELS, decoderFactory, encoderDecoderFactory, classifierFactory);
    contribute(container, ATTENTION, ...builtInParts.attention);
    contribute(container, FFN, ...builtInParts.ffn);
    contribute(container, NORM, ...builtInParts.norm);
    contribute(container, POSITIONS, ...builtInParts.positions);
  },
});
