/** Kernels of this package for ops of core, where one launch does what the decomposition does in several. */

import type { Kernel } from '@heddle/core';
import type { GpujsKernel } from '../kernel.js';

export const builtInKernels: readonly Kernel<GpujsKernel>[] = [];
