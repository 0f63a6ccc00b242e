import { convolveOp, defineKernel } from '@heddle/core';
import { ONNX } from '../kernel.js';

/** ONNX Runtime adds the bias, and applies a ReLU that follows, while the result is in its caches. */
export const convolveKernel = defineKernel(ONNX, {
  op: convolveOp,
  build([, weight]) {
    const [G, o, rows, columns, c] = weight!.shape as readonly [number, number, number, number, number];
    const [top, left] = [(rows - 1) / 2, (columns - 1) / 2];
    const attributes = { group: G, kernel_shape: [rows, columns], pads: [top, left, top, left] };
    return (write, [x, w, ...bias]) => {
      const ordered =
        rows * columns === 1 ? w! : write.node('Transpose', [w!], { attributes: { perm: [0, 1, 4, 2, 3] } })[0]!;
      const [filters] = write.node('Reshape', [ordered, write.constant([G * o, c, rows, columns], [4], 'i64')]);
      return write.node('Conv', [x!, filters!, ...bias], { attributes });
    };
  },
});
