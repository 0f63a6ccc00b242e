/**
 * Kernels for gpu.js, as a plugin of their own: whoever wants them asks for them.
 *
 * The engine's products use SIMD in mode `webasm`, where these kernels are slower than what they stand for; in mode
 * `cpu`, and for the network over heads on WebGPU, they are faster. See the README's figures.
 */

import { KERNELS, contribute, definePlugin } from '@heddle/core';
import { feedHeadsKernel } from './kernels/feed-heads.js';
import { mixHeadsKernel } from './kernels/mix-heads.js';
import { version } from './version.js';

export { feedHeadsKernel, mixHeadsKernel };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/ffn-partial/gpujs',
  version,
  needs: ['@heddle/ffn-partial'],
  register(container) {
    contribute(container, KERNELS, mixHeadsKernel, feedHeadsKernel);
  },
});
