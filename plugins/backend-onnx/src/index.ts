/** ONNX Runtime as an engine of Heddle, in Node. For browsers see `@heddle/backend-onnx/web`. */

import { BACKENDS, contribute, definePlugin } from '@heddle/core';
import { offers } from './offers.js';
import { version } from './version.js';

export { exportOnnx, type ExportOptions } from './export.js';
export { openOnnx, type OnnxBinding, type OnnxOptions } from './open.js';
export {
  ONNX,
  type OnnxAttribute,
  type OnnxKernel,
  type OnnxNodeOptions,
  type OnnxValue,
  type OnnxWriter,
} from './kernel.js';

/** Contributes the backends `onnx:cpu`, `onnx:webgpu` and `onnx:cuda`. */
export default definePlugin({
  name: '@heddle/backend-onnx',
  version,
  register(container) {
    contribute(container, BACKENDS, ...offers);
  },
});
