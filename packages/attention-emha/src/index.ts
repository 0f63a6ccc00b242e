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
export { crossGpujs } from './kernels/cross.gpujs.js';
export { innerGpujs } from './kernels/inner.gpujs.js';
export { crossOp, type CrossAttrs } from './ops/cross.js';
export { innerOp, mixesKeys, pairMaps, type InnerAttrs } from './ops/inner.js';
export { emhaFactory, emhaPart, handedMaps } from './part.js';
export { emhaScores } from './scores.js';
export { convolutionShapes, emhaParameters, type ConvolutionShapes, type EmhaCount } from './shapes.js';
export { zeroFill } from './zero-fill.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/attention-emha',
  version,
  register(container) {
    contribute(container, OPS, innerOp, crossOp);
    contribute(container, ATTENTION, emhaFactory);
  },
});

/**
 * Kernels for gpu.js that keep neither the maps of all pairs of heads nor hidden ones. They save memory and cost time
 * (figures in the README), so they are a plugin of their own, to be listed beside the first.
 */
export const leanKernels = /* @__PURE__ */ definePlugin({
  name: '@heddle/attention-emha/lean',
  version,
  needs: ['@heddle/attention-emha'],
  register(container) {
    contribute(container, KERNELS, innerGpujs, crossGpujs);
  },
});
