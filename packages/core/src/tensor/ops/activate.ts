/** Activations that engines have in one piece, with gradients that do not keep extra tensors. */

import { defineOp } from '../op.js';
import { sigmoid } from '../sugar/activation.js';
import { where, type Tensor } from '../tensor.js';

type Form = { readonly form: 'erf' | 'tanh' };

const rootTwoOverPi = Math.sqrt(2 / Math.PI);

/** The share of x that passes: Phi(x), or its approximation by tanh (Hendrycks and Gimpel 2016). */
const passed = (x: Tensor, form: Form['form']): Tensor =>
  form === 'erf' ? x.mul(Math.SQRT1_2).erf().add(1).mul(0.5) : inner(x).tanh().add(1).mul(0.5);

const inner = (x: Tensor): Tensor => x.add(x.mul(x).mul(x).mul(0.044715)).mul(rootTwoOverPi);

export const reluOp = defineOp({
  name: 'relu',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x]) => [where(x!.greater(0), x!, 0)],
  // What came out says where the slope is 1, so that nobody keeps what went in.
  vjp: ({ cts: [ct], outputs: [y] }) => [reluGrad(y!, ct!)],
});

/** Where `y` is above 0, `ct`, else 0. @shape y [...s], ct [...s] -> [...s] */
export const reluGradOp = defineOp({
  name: 'reluGrad',
  version: 1,
  infer: ([y]) => [y!],
  decompose: ([y, ct]) => [where(y!.greater(0), ct!, 0)],
  vjp: ({ cts: [ct], inputs: [y] }) => [null, reluGrad(y!, ct!)],
});

export const geluOp = defineOp<Form>({
  name: 'gelu',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x], { form }) => [x!.mul(passed(x!, form))],
  // Half of the cotangent goes in: a factor that engines hand to the product which made it.
  vjp: ({ cts: [ct], inputs: [x], attrs }) => [geluGradOp([x!, ct!.mul(0.5)], attrs)[0]!],
});

/** Twice the slope times `half`, as an op, so that an engine may fuse it. @shape x [...s], half [...s] -> [...s] */
export const geluGradOp = defineOp<Form>({
  name: 'geluGrad',
  version: 1,
  infer: ([x]) => [x!],
  decompose([x, half], { form }) {
    if (form === 'erf') {
      const density = x!
        .square()
        .mul(-0.5)
        .exp()
        .mul(2 / Math.sqrt(2 * Math.PI));
      return [half!.mul(x!.mul(Math.SQRT1_2).erf().add(1).add(x!.mul(density)))];
    }
    const t = inner(x!).tanh();
    const slope = x!
      .square()
      .mul(3 * 0.044715)
      .add(1)
      .mul(rootTwoOverPi);
    return [half!.mul(t.add(1).add(x!.mul(t.square().neg().add(1)).mul(slope)))];
  },
});

export const siluOp = defineOp({
  name: 'silu',
  version: 1,
  infer: ([x]) => [x!],
  decompose: ([x]) => [x!.mul(sigmoid(x!))],
  vjp({ cts: [ct], inputs: [x] }) {
    const s = sigmoid(x!);
    return [ct!.mul(s.mul(x!.mul(s.neg().add(1)).add(1)))];
  },
});

/** The larger of x and 0. Gradient 0 at 0. */
export const relu = (x: Tensor): Tensor => reluOp([x], {})[0]!;

/**
 * The gradient of `relu` by what it gave, for gradients that are written by hand.
 *
 * @param y what `relu` gave, or anything above 0 in the same places
 */
export const reluGrad = (y: Tensor, ct: Tensor): Tensor => reluGradOp([y, ct], {})[0]!;

/** @param form `erf` is exact; `tanh` the approximation that GPT-2 uses */
export const gelu = (x: Tensor, form: Form['form'] = 'erf'): Tensor => geluOp([x], { form })[0]!;

/** x * sigmoid(x), also called swish. */
export const silu = (x: Tensor): Tensor => siluOp([x], {})[0]!;
