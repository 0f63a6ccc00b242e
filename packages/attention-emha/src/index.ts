/** Enhanced multi-head attention (EIT): every query head looks at every key head, and the maps are mixed. */

import { ATTENTION, KERNELS, OPS, contribute, definePlugin } from '@heddle/core';
import { crossGpujs } from './kernels/cross.gpujs.js';
import { innerGpujs } from './kernels/inner.gpujs.js';
import { crossOp } from './ops/cross.js';
import { innerOp } from './ops/inner.js';
import { emhaFactory } from './part.js';
import { version } from './version.js';

export {
  emhaPresets,
  emhaSizes,
  type EmhaConfig,
  type EmhaOptions,
  type EmhaSizes,
  type Form,
  type Inner,
  type PresetName,
  type ZeroFill,
} from './options.js';
export {
  emha,
  emhaAttend,
  emhaForward,
  emhaParams,
  readByMaps,
  type Attended,
  type EmhaBound,
  type Heads,
} from './layer.js';
export { headCosines, headSimilarity } from './diagnostics.js';
export { mixedMaps, type Convolution, type MixingKind, type MixingWeights } from './mixing.js';
export { crossOp, type CrossAttrs } from './ops/cross.js';
export { innerOp, mixesKeys, pairMaps, type InnerAttrs } from './ops/inner.js';
export { emhaFactory, emhaPart, handedMaps } from './part.js';
export { convolutionShapes, emhaParameters, type ConvolutionShapes, type EmhaCount } from './shapes.js';
export { zeroFill } from './zero-fill.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/attention-emha',
  version,
  register(container) {
    contribute(container, OPS, innerOp, crossOp);
    contribute(container, KERNELS, innerGpujs, crossGpujs);
    contribute(container, ATTENTION, emhaFactory);
  },
});
