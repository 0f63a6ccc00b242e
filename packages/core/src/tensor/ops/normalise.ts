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
const plus = (a: Tensor | null, b: Tensor | null): Tensor | null => (a && b ? a.add(b) : (a ?? b));

/** Mean of a product with a gain: as a matrix product, which reads its operand once. @shape x [..., D], gain [D] -> [..., 1] */
const meanWith = (x: Tensor, gain: Tensor): Tensor =>
  x
    .reshape(-1, gain.size)
    .matmul(gain.mul(1 / gain.size).reshape(gain.size, 1))
    .reshape(...x.shape.slice(0, -1), 1);

/** Outputs: the result; x brought to mean 0 and deviation 1, and per row 1 / deviation, kept for the gradient. */
export const layerNormOp = defineOp<Epsilon>({
  name: 'layerNorm',
  version: 1,
  infer(types) {
    expectGains('layerNorm', types);
    return [types[0]!, types[0]!, perRow(types)];
  },
  decompose([x, gain, bias], { epsilon }) {
    const centred = x!.sub(rowMean(x!));
    const inverse = oneOver(rowMean(centred.square()).add(epsilon).sqrt());
    const unit = centred.mul(inverse);
    return [unit.mul(gain!).add(bias!), unit, inverse];
  },
  vjp({ cts: [ct = null, ctUnit = null, ctInverse = null], inputs: [x, gain], outputs: [, unit, inverse] }) {
    const D = x!.shape.at(-1)!;
    const weighted = ct && ct.mul(unit!);
    const scaled = ct && ct.mul(gain!);
    const flow = scaled && ctUnit ? scaled.add(ctUnit) : (scaled ?? ctUnit);
    // Second derivatives alone ask for the gradients of the residuals.
    const along = ctUnit ? rowMean(flow!.mul(unit!)) : weighted && meanWith(weighted, gain!);
    const viaUnit = flow && flow.sub(rowMean(flow)).sub(unit!.mul(along!)).mul(inverse!);
    const viaInverse = ctInverse && unit!.mul(ctInverse.mul(inverse!.square()).mul(-1 / D));
    return [plus(viaUnit, viaInverse), weighted && toGain(weighted), ct && toGain(ct)];
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
  vjp({ cts: [ct = null, ctInverse = null], inputs: [x, gain], outputs: [, inverse] }) {
    const D = x!.shape.at(-1)!;
    const viaInverse = ctInverse && x!.mul(ctInverse.mul(inverse!.mul(inverse!).mul(inverse!)).mul(-1 / D));
    if (!ct) return [viaInverse, null];
    const unit = x!.mul(inverse!);
    const weighted = ct.mul(unit);
    const dx = ct
      .mul(gain!)
      .sub(unit.mul(meanWith(weighted, gain!)))
      .mul(inverse!);
    return [plus(dx, viaInverse), toGain(weighted)];
  },
});

const oneOver = (x: Tensor): Tensor => full(x.shape, 1).div(x);

/** Ba et al. 2016. @shape x [..., D], gain [D], bias [D] -> [..., D] */
export const layerNorm = (x: Tensor, gain: Tensor, bias: Tensor, { epsilon = 1e-5 } = {}): Tensor =>
  layerNormOp([x, gain, bias], { epsilon })[0]!;

/** Zhang and Sennrich 2019. @shape x [..., D], gain [D] -> [..., D] */
export const rmsNorm = (x: Tensor, gain: Tensor, { epsilon = 1e-6 } = {}): Tensor =>
  rmsNormOp([x, gain], { epsilon })[0]!;
