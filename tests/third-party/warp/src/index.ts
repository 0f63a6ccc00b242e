/** Mish for Heddle. Depends on published entries only. */

import { ATTENTION, COMMANDS, contribute, definePlugin, FFN, KERNELS, OPS, type PartFactory } from '@heddle/core';
import { warpAttention } from './attention.js';
import { opsCommand } from './command.js';
import { mishKernel } from './kernel.js';
import { warpFfn } from './layer.js';
import { mishOp } from './op.js';

export { mish } from './op.js';
export { warpFfn } from './layer.js';

const ffn: PartFactory<{ readonly width: number; readonly inner?: number }> = { name: 'warp', create: warpFfn };

const attention: PartFactory<{ readonly width: number; readonly heads: number }> = {
  name: 'squared',
  create: warpAttention,
};

export default definePlugin({
  name: 'heddle-warp',
  version: '1.2.3',
  register(container) {
    contribute(container, OPS, mishOp);
    contribute(container, KERNELS, mishKernel);
    contribute(container, FFN, ffn);
    contribute(container, ATTENTION, attention);
    contribute(container, COMMANDS, opsCommand);
  },
});
