import { defineKernel, layerNormOp, rmsNormOp } from '@heddle/core';
import { ONNX } from '../kernel.js';

/** ONNX's operator gives mean and 1 / deviation as well: the residuals of our op. */
export const layerNormKernel = defineKernel(ONNX, {
  op: layerNormOp,
  build: (_types, { epsilon }) => (write, inputs) =>
    write.node('LayerNormalization', inputs, { attributes: { axis: -1, epsilon: { float: epsilon as number } }, outputs: 3 }),
});

/** ONNX Runtime's name for RMS norm; its second output is 1 / root mean square. */
export const rmsNormKernel = defineKernel(ONNX, {
  op: rmsNormOp,
  build: (_types, { epsilon }) => (write, inputs) =>
    write.node('SimplifiedLayerNormalization', inputs, { attributes: { axis: -1, epsilon: { float: epsilon as number } }, outputs: 2 }),
});
