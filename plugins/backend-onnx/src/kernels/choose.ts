/** One cell of the last axis by index: a gather or a scatter instead of a comparison with every cell. */

import { addAtOp, defineKernel, logProbabilitiesOp, logProbabilityOp, pickOp, type Shape } from '@heddle/core';
import { ONNX, type OnnxValue, type OnnxWriter } from '../kernel.js';

const reshape = (write: OnnxWriter, x: OnnxValue, shape: Shape): OnnxValue =>
  write.node('Reshape', [x, write.constant(shape, [shape.length], 'i64')])[0]!;

/** @shape x [..., V], index [...] -> [...] */
function gatherCell(write: OnnxWriter, x: OnnxValue, index: OnnxValue, shape: Shape): OnnxValue {
  const column = reshape(write, index, [...shape, 1]);
  const [cell] = write.node('GatherElements', [x, column], { attributes: { axis: shape.length } });
  return reshape(write, cell!, shape);
}

export const pickKernel = defineKernel(ONNX, {
  op: pickOp,
  build:
    ([, index]) =>
    (write, [x, at]) => [gatherCell(write, x!, at!, index!.shape)],
});

export const addAtKernel = defineKernel(ONNX, {
  op: addAtOp,
  build:
    ([x, index]) =>
    (write, [base, at, amount]) => {
      const column = [...index!.shape, 1];
      const attributes = { axis: x!.shape.length - 1, reduction: 'add' };
      return write.node('ScatterElements', [base!, reshape(write, at!, column), reshape(write, amount!, column)], {
        attributes,
      });
    },
});

/** Log-probabilities: of the token, and of all. @shape logits [..., V], index [...] -> [...], [..., V] */
function chosenAndAll(
  write: OnnxWriter,
  logits: OnnxValue,
  index: OnnxValue,
  shape: Shape,
): readonly [OnnxValue, OnnxValue] {
  const [all] = write.node('LogSoftmax', [logits], { attributes: { axis: -1 } });
  return [gatherCell(write, all!, index, shape), all!];
}

export const logProbabilityKernel = defineKernel(ONNX, {
  op: logProbabilityOp,
  build:
    ([, token]) =>
    (write, [logits, at]) =>
      chosenAndAll(write, logits!, at!, token!.shape),
});

export const logProbabilitiesKernel = defineKernel(ONNX, {
  op: logProbabilitiesOp,
  build:
    ([, token]) =>
    (write, [logits, at]) => {
      const [own, all] = chosenAndAll(write, logits!, at!, token!.shape);
      const axes = write.constant([token!.shape.length], [1], 'i64');
      const [total] = write.node('ReduceSum', [all, axes], { attributes: { keepdims: 0 } });
      return [own, total!, all];
    },
});
