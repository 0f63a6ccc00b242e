/** Kernels for gpu.js, as a plugin of their own: who merges on the processor needs no GPU engine. */

import { KERNELS, contribute, definePlugin } from '@heddle/core';
import { magnitudeMaskKernel } from './kernels/magnitude-mask.js';
import { signConsensusKernel } from './kernels/sign-consensus.js';
import { slerpKernel } from './kernels/slerp.js';
import { weightedSumKernel } from './kernels/weighted-sum.js';
import { version } from './version.js';

export { magnitudeMaskKernel, signConsensusKernel, slerpKernel, weightedSumKernel };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/mmt-merge/gpujs',
  version,
  needs: ['@heddle/mmt-merge'],
  register(container) {
    contribute(container, KERNELS, weightedSumKernel, signConsensusKernel, magnitudeMaskKernel, slerpKernel);
  },
});
