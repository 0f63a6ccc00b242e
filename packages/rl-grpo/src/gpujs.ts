/** Kernels for gpu.js, as a plugin of their own: whoever wants them asks for them. */

import { KERNELS, contribute, definePlugin } from '@heddle/core';
import { clippedGradientKernel, clippedKernel } from './kernels/clipped.js';
import { tokenScoresGradientKernel, tokenScoresKernel } from './kernels/token-scores.js';
import { version } from './version.js';

export { clippedGradientKernel, clippedKernel, tokenScoresGradientKernel, tokenScoresKernel };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/rl-grpo/gpujs',
  version,
  needs: ['@heddle/rl-grpo'],
  register(container) {
    contribute(container, KERNELS, tokenScoresKernel, tokenScoresGradientKernel, clippedKernel, clippedGradientKernel);
  },
});
