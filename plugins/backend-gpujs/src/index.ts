/** gpu.js as an engine of Heddle, in Node and browsers, and the language of plugins' kernels. */

import { BACKENDS, contribute, definePlugin } from '@heddle/core';
import { offers } from './offers.js';
import { version } from './version.js';

export type { GpujsEvent } from './backend.js';
export type { Mode } from './gpujs/adapter.js';
export { openGpujs, type GpujsOptions } from './open.js';
export {
  GPUJS,
  kernelLimits,
  perCell,
  type CellBody,
  type Cells,
  type GpujsKernel,
  type Launch,
  type Thread,
} from './kernel.js';

/** Contributes the backends `gpujs:webgpu`, `gpujs:webgl2`, `gpujs:webasm` and `gpujs:cpu`. */
export default definePlugin({
  name: '@heddle/backend-gpujs',
  version,
  register(container) {
    contribute(container, BACKENDS, ...offers);
  },
});
