/** How the kernel's own composites become ONNX operators: by the same contract that a plugin uses. */

import type { Kernel } from '@heddle/core';
import { geluGradKernel, geluKernel, reluGradKernel, reluKernel, siluKernel } from './activations.js';
import { attendKernel } from './attend.js';
import { cacheWriteKernel } from './cache-write.js';
import { addAtKernel, logProbabilitiesKernel, logProbabilityKernel, pickKernel } from './choose.js';
import { convolveKernel } from './convolve.js';
import { layerNormKernel, rmsNormKernel } from './norms.js';
import { rotateKernel } from './rotate.js';
import { logSoftmaxKernel, softmaxKernel } from './softmax.js';

export const builtInKernels: readonly Kernel[] = [
  softmaxKernel,
  logSoftmaxKernel,
  layerNormKernel,
  rmsNormKernel,
  reluKernel,
  reluGradKernel,
  geluKernel,
  geluGradKernel,
  siluKernel,
  attendKernel,
  convolveKernel,
  rotateKernel,
  pickKernel,
  addAtKernel,
  logProbabilityKernel,
  logProbabilitiesKernel,
  cacheWriteKernel,
];
