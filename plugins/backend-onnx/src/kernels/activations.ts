import { defineKernel, geluGradOp, geluOp, reluGradOp, reluOp, siluOp } from '@heddle/core';
import { ONNX } from '../kernel.js';

const domain = 'com.microsoft';

export const reluKernel = defineKernel(ONNX, {
  op: reluOp,
  build:
    () =>
    (write, [x]) =>
      write.node('Relu', [x!]),
});

/**
 * A hard sigmoid so steep that it is 1 for every normal number above 0 is a step, in one pass; a choice by comparison
 * takes four.
 */
export const reluGradKernel = defineKernel(ONNX, {
  op: reluGradOp,
  build:
    () =>
    (write, [y, ct]) => {
      const [step] = write.node('HardSigmoid', [y!], { attributes: { alpha: { float: 3e38 }, beta: { float: 0 } } });
      return write.node('Mul', [ct!, step!]);
    },
});

export const geluKernel = defineKernel(ONNX, {
  op: geluOp,
  build:
    (_types, { form }) =>
    (write, [x]) =>
      write.node(form === 'erf' ? 'Gelu' : 'FastGelu', [x!], { domain }),
});

/**
 * With t = x / sqrt(2): ct / 2 * (1 + erf(t) + 2 / sqrt(pi) * t / exp(t * t)). The quotient falls to 0 where the
 * product with exp(-t * t) would be 0 * inf.
 */
export const geluGradKernel = defineKernel(ONNX, {
  op: geluGradOp,
  accepts: (_types, { form }) => form === 'erf',
  build:
    () =>
    (write, [x, ct]) => {
      const number = (n: number) => write.constant([n], [], 'f32');
      const one = (op: string, ...inputs: readonly string[]) => write.node(op, inputs)[0]!;
      const t = one('Mul', x!, number(Math.SQRT1_2));
      const share = one('Add', one('Erf', t), number(1));
      const bump = one('Mul', one('Div', t, one('Exp', one('Mul', t, t))), number(2 / Math.sqrt(Math.PI)));
      return [one('Mul', ct!, one('Add', share, bump))];
    },
});

/** QuickGelu is x * sigmoid(alpha * x). */
export const siluKernel = defineKernel(ONNX, {
  op: siluOp,
  build:
    () =>
    (write, [x]) =>
      write.node('QuickGelu', [x!], { attributes: { alpha: { float: 1 } }, domain }),
});
