import { defineKernel, layerNormOp, rmsNormOp, type Attrs } from '@heddle/core';
import { ONNX } from '../kernel.js';

const options = ({ epsilon }: Attrs, outputs: number) => ({
  attributes: { axis: -1, epsilon: { float: epsilon as number } },
  outputs,
});

/**
 * With a gain of ones and a bias of zeros ONNX's operator gives the normalised input that our gradient keeps, in one
 * pass; its second output, the mean, is nobody's. Where no gradient follows, the plain operator does it all.
 */
export const layerNormKernel = defineKernel(ONNX, {
  op: layerNormOp,
  build:
    ([x], attrs) =>
    (write, [input, gain, bias], [, keepsUnit, keepsInverse]) => {
      if (!keepsUnit && !keepsInverse)
        return [write.node('LayerNormalization', [input!, gain!, bias!], options(attrs, 1))[0]!, '', ''];
      const D = x!.shape.at(-1)!;
      const vector = (value: number) => write.constant(new Float32Array(D).fill(value), [D], 'f32');
      const [unit, , inverse] = write.node('LayerNormalization', [input!, vector(1), vector(0)], options(attrs, 3));
      const [scaled] = write.node('Mul', [unit!, gain!]);
      return [write.node('Add', [scaled!, bias!])[0]!, unit!, inverse!];
    },
});

/** ONNX Runtime's name for RMS norm; its second output is 1 / root mean square. */
export const rmsNormKernel = defineKernel(ONNX, {
  op: rmsNormOp,
  build:
    (_types, attrs) =>
    (write, inputs, [, keepsInverse]) => {
      const [y, inverse] = write.node('SimplifiedLayerNormalization', inputs, options(attrs, keepsInverse ? 2 : 1));
      return [y!, inverse ?? ''];
    },
});
