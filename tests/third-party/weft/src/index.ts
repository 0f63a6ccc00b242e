/** Softmax with a temperature, and its entropy, with kernels for gpu.js. Depends on published entries only. */

import { contribute, definePlugin, KERNELS, OPS } from '@heddle/core';
import { easeKernel } from './kernel.js';
import { easeOp } from './op.js';

export { ease } from './op.js';

export default definePlugin({
  name: 'heddle-weft',
  version: '0.3.0',
  register(container) {
    contribute(container, OPS, easeOp);
    contribute(container, KERNELS, easeKernel);
  },
});
