/** Layer normalisation and its root-mean-square form. Epsilon stands inside the root. */

import { refuse } from '../../ir/path.js';
import { sameShape, showTypes } from '../../ir/shape.js';
import type { TensorType } from '../../ir/types.js';
import { defineOp } from '../op.js';
import { full, type Tensor } from '../tensor.js';

type Epsilon = { readonly epsilon: number };

function expectGains(op: string, types: readonly TensorType[]): void {
  const width = types[0]!.shape.at(-1);
  if (width === undefined || !types.slice(1).every(t => sameShape(t.shape, [width]))) {
    refuse(op, 'E_SHAPE', `expected x [..., D] and gains [D], received ${showTypes(types)}.`, { types });
  }
}

const perRow = ([x]: readonly TensorType[]): TensorType => ({ dtype: 'f32', shape: [...x!.shape.slice(0, -1), 1] });
const rowMean = (x: Tensor): Tensor => x.mean(-1, { keep: true });
/** Sums away all axes but the last. */
const toGain = (x: Tensor): Tensor => x.reshape(-1, x.shape.at(-1)!).sum(0);
const plus = (a: Tensor, b: Tensor | null): Tensor => (b ? a.add(b) : a);

/** Outputs: the result, and per row the mean and 1 / deviation, kept for the gradient. */
export const layerNormOp = defineOp<Epsilon>({
  name: 'layerNorm',
  version: 1,
  infer(types) {
    expectGains('layerNorm', types);
    return [types[0]!, perRow(types), perRow(types)];
  },
  decompose([x, gain, bias], { epsilon }) {
    const mean = rowMean(x!);
    const centred = x!.sub(mean);
    const inverse = oneOver(rowMean(centred.square()).add(epsilon).sqrt());
    return [centred.mul(inverse).mul(gain!).add(bias!), mean, inverse];
  },
  vjp({ cts: [ct, ctMean = null, ctInverse = null], inputs: [x, gain], outputs: [, mean, inverse] }) {
    const D = x!.shape.at(-1)!;
    const centred = x!.sub(mean!);
    const unit = centred.mul(inverse!);
    // The residuals have gradients of their own, which only second derivatives ask for.
    const viaMean = ctMean && ctMean.mul(1 / D);
    const viaInverse = ctInverse && centred.mul(ctInverse.mul(inverse!.mul(inverse!).mul(inverse!)).mul(-1 / D));
    const rest = viaMean && viaInverse ? viaInverse.add(viaMean) : (viaInverse ?? viaMean);
    if (!ct) return [rest && rest.broadcastTo(x!.shape), null, null];
    const scaled = ct.mul(gain!);
    const dx = scaled.sub(rowMean(scaled)).sub(unit.mul(rowMean(scaled.mul(unit)))).mul(inverse!);
    return [plus(dx, rest), toGain(ct.mul(unit)), toGain(ct)];
  },
});

/** Outputs: the result, and per row 1 / root mean square. */
export const rmsNormOp = defineOp<Epsilon>({
  name: 'rmsNorm',
  version: 1,
  infer(types) {
    expectGains('rmsNorm', types);
    return [types[0]!, perRow(types)];
  },
  decompose([x, gain], { epsilon }) {
    const inverse = oneOver(rowMean(x!.square()).add(epsilon).sqrt());
    return [x!.mul(inverse).mul(gain!), inverse];
  },
  vjp({ cts: [ct, ctInverse = null], inputs: [x, gain], outputs: [, inverse] }) {
    const D = x!.shape.at(-1)!;
    const viaInverse = ctInverse && x!.mul(ctInverse.mul(inverse!.mul(inverse!).mul(inverse!)).mul(-1 / D));
    if (!ct) return [viaInverse, null];
    const unit = x!.mul(inverse!);
    const scaled = ct.mul(gain!);
    const dx = scaled.sub(unit.mul(rowMean(scaled.mul(unit)))).mul(inverse!);
    return [plus(dx, viaInverse), toGain(ct.mul(unit))];
  },
});

const oneOver = (x: Tensor): Tensor => full(x.shape, 1).div(x);

/** Ba et al. 2016. @shape x [..., D], gain [D], bias [D] -> [..., D] */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, { epsilon = 1e-5 } = {}): Tensor => layerNormOp([x, gain, bias], { epsilon })[0]!;

/** Zhang and Sennrich 2019. @shape x [..., D], gain [D] -> [..., D] */
export const rmsNorm = (x: Tensor, gain: Tensor, { epsilon = 1e-6 } = {}): Tensor => rmsNormOp([x, gain], { epsilon })[0]!;
