import { defineKernel, geluOp, siluOp } from '@heddle/core';
import { ONNX } from '../kernel.js';

const domain = 'com.microsoft';

export const geluKernel = defineKernel(ONNX, {
  op: geluOp,
  build: (_types, { form }) => (write, [x]) => write.node(form === 'erf' ? 'Gelu' : 'FastGelu', [x!], { domain }),
});

/** QuickGelu is x * sigmoid(alpha * x). */
export const siluKernel = defineKernel(ONNX, {
  op: siluOp,
  build: () => (write, [x]) => write.node('QuickGelu', [x!], { attributes: { alpha: { float: 1 } }, domain }),
});
