/** What adapters compute: the update of a layer as an op, with a gradient that stores nothing wide, and sums of differences. */

import { defineOp, refuse, sameShape, showTypes, type Attrs, type Tensor, type TensorType } from '@heddle/core';

export type UpdateAttrs = Attrs & { readonly scale: number };

/** Whether each row of a batch has a matrix of its own. */
const perRow = (b: TensorType): boolean => b.shape.length === 3;

/**
 * `y + scale * u B`: the update of a linear layer, added to what the layer gave.
 *
 * @shape y [..., to], u [..., rank], B [rank, to] -> [..., to]; or y [N, ..., to], u [N, ..., rank], B [N, rank, to], a matrix for
 *   each of N rows
 */
export const loraUpdateOp = defineOp<UpdateAttrs>({
  name: 'lora.update',
  version: 1,
  infer(types) {
    const [y, u, b] = types;
    const fits =
      types.length === 3 &&
      types.every(({ dtype }) => dtype === 'f32') &&
      (b!.shape.length === 2 || (b!.shape.length === 3 && y!.shape.length >= 3 && y!.shape[0] === b!.shape[0])) &&
      y!.shape.length >= 2 &&
      sameShape(y!.shape.slice(0, -1), u!.shape.slice(0, -1)) &&
      u!.shape.at(-1) === b!.shape.at(-2) &&
      y!.shape.at(-1) === b!.shape.at(-1);
    if (!fits)
      refuse('lora.update', 'E_SHAPE', `expected y [..., to], u [..., rank] and B [rank, to], or B [N, rank, to] with y [N, ..., to], received ${showTypes(types)}.`, { types }); // prettier-ignore
    return [y!];
  },
  // The scale goes on the narrow side.
  decompose: ([y, u, b], { scale }) => [y!.add(product(u!.mul(scale), b!))],
  vjp({ cts: [ct], inputs: [, u, b], attrs: { scale } }) {
    const back = product(ct!, b!.transpose(...swapped(b!.shape.length))).mul(scale);
    return [ct!, back, weightOf(u!.mul(scale), ct!, b!.type)];
  },
});

const swapped = (rank: number): readonly number[] => (rank === 3 ? [0, 2, 1] : [1, 0]);

/** u B over any axes between. */
function product(u: Tensor, b: Tensor): Tensor {
  if (b.shape.length === 2) return u.matmul(b);
  const [n, , to] = b.shape as readonly [number, number, number];
  const rows = u.size / n / u.shape.at(-1)!;
  return u
    .reshape(n, rows, u.shape.at(-1)!)
    .matmul(b)
    .reshape(...u.shape.slice(0, -1), to);
}

/** The gradient of B: uᵀ ct over all rows, or over those of each matrix. */
function weightOf(u: Tensor, ct: Tensor, b: TensorType): Tensor {
  const [rank, to] = b.shape.slice(-2) as [number, number];
  const n = perRow(b) ? b.shape[0]! : 1;
  const rows = u.size / n / rank;
  return u
    .reshape(n, rows, rank)
    .transpose(0, 2, 1)
    .matmul(ct.reshape(n, rows, to))
    .reshape(...b.shape);
}

/**
 * `sum_k w_k A_k B_k`: adapters merged as a weighted sum of their differences, none of which is made: one product over all ranks.
 *
 * @shape A [K, from, rank], B [K, rank, to], w [K] -> [from, to]
 */
export function sumOfFactors(a: Tensor, b: Tensor, w: Tensor): Tensor {
  const [K, from, rank] = a.shape as readonly [number, number, number];
  const weighted = a
    .mul(w.reshape(K, 1, 1))
    .transpose(1, 0, 2)
    .reshape(from, K * rank);
  return weighted.matmul(b.reshape(K * rank, b.shape[2]!));
}
