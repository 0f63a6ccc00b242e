/**
 * Kernels for gpu.js, as a plugin of their own: whoever wants them asks for them.
 *
 * The clipped objective and the gradient with entropy have none: the engine fuses what they stand for into single passes,.
 */

import { KERNELS, contribute, definePlugin } from '@heddle/core';
import { tokenScoresGradientKernel, tokenScoresKernel } from './kernels/token-scores.js';
import { version } from './version.js';

export { tokenScoresGradientKernel, tokenScoresKernel };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/rl-grpo/gpujs',
  version,
  needs: ['@heddle/rl-grpo'],
  register(container) {
    contribute(container, KERNELS, tokenScoresKernel, tokenScoresGradientKernel);
  },
});
