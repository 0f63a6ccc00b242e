import { defineKernel, logSoftmaxOp, softmaxOp } from '@heddle/core';
import { ONNX } from '../kernel.js';

export const softmaxKernel = defineKernel(ONNX, {
  op: softmaxOp,
  build:
    () =>
    (write, [x]) =>
      write.node('Softmax', [x!], { attributes: { axis: -1 } }),
});

export const logSoftmaxKernel = defineKernel(ONNX, {
  op: logSoftmaxOp,
  build:
    () =>
    (write, [x]) =>
      write.node('LogSoftmax', [x!], { attributes: { axis: -1 } }),
});
