import { defineKernel } from '@heddle/core';
import { ONNX } from '@heddle/backend-onnx/kernel';

/** ONNX has the function by name since opset 18. */
export const mishKernel = defineKernel(ONNX, {
  op: 'warp.mish',
  accepts: ([x]) => x!.dtype === 'f32',
  build:
    () =>
    (write, [x]) =>
      write.node('Mish', [x!]),
});
