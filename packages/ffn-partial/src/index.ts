/** PartialFormer: small feed-forwards inside the heads of attention, head scaling, residual-like attention. */

import { ATTENTION, OPS, contribute, definePlugin } from '@heddle/core';
import { partialFactory } from './attention.js';
import { feedHeadsOp } from './ops/feed-heads.js';
import { mixHeadsOp } from './ops/mix-heads.js';
import { version } from './version.js';

export {
  handedMap,
  handedProbabilities,
  partialAttention,
  partialFactory,
  type PartialAttentionOptions,
} from './attention.js';
export {
  keysAndValues,
  lookAt,
  partialBlock,
  type KeysAndValues,
  type PartialBlock,
  type PartialResult,
  type PartialView,
  type ScoreLayer,
} from './block.js';
export { partialConfig, type PartialConfig, type PartialOptions } from './config.js';
export {
  blockMacs,
  blockParameters,
  mapMacs,
  mapParameters,
  modelMacs,
  modelParameters,
  type BlockCount,
  type ModelCount,
  type ModelMacs,
} from './count.js';
export { blockOrigin, decoderLayerOrigin, mapOrigin, modelOrigin, sublayerOrigin, type Origin } from './fairseq.js';
export { globalMap, type GlobalMap, type GlobalMapConfig, type GlobalMapView } from './global-map.js';
export {
  partialDecoderLayer,
  partialSublayer,
  type DecoderLayer,
  type DecoderView,
  type Sublayer,
  type SublayerResult,
  type Wiring,
} from './layers.js';
export {
  paddingMask,
  partialFormer,
  type Decoded,
  type DecodeStep,
  type Encoded,
  type PartialFormer,
} from './model.js';
export {
  partialFormerConfig,
  type BlockConfig,
  type PartialFormerConfig,
  type PartialFormerOptions,
  type StackConfig,
} from './model-config.js';
export { feedHeads, feedHeadsOp, type Feeding } from './ops/feed-heads.js';
export { mixHeads, mixHeadsOp, type Mixing } from './ops/mix-heads.js';
export { sinusoids, tokenPositions } from './positions.js';
export { presets } from './presets.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/ffn-partial',
  version,
  register(container) {
    contribute(container, OPS, mixHeadsOp, feedHeadsOp);
    contribute(container, ATTENTION, partialFactory);
  },
});
