/** Attention whose probabilities are kept for the gradient; the scale rides on the first product. */

import { attendOp, defineKernel } from '@heddle/core';
import { ONNX } from '../kernel.js';

export const attendKernel = defineKernel(ONNX, {
  op: attendOp,
  // Grouped queries go through the decomposition, which repeats the key heads.
  accepts: ([q, k]) => q!.shape[1] === k!.shape[1],
  build:
    (_types, { scale }) =>
    (write, [query, key, value, mask]) => {
      const attributes = { transA: 0, transB: 1, alpha: { float: scale as number } };
      const [scores] = write.node('FusedMatMul', [query!, key!], { attributes, domain: 'com.microsoft' });
      const hidden = mask === undefined ? scores! : write.node('Add', [scores!, mask])[0]!;
      const [probabilities] = write.node('Softmax', [hidden], { attributes: { axis: -1 } });
      return [write.node('MatMul', [probabilities!, value!])[0]!, probabilities!];
    },
});
