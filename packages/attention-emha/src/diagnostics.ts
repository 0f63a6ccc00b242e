/** How alike the heads of an attention are: what EIT argues with, and what its ablations are compared by. */

import { iota, where, type Tensor } from '@heddle/core';

/**
 * Cosine between the maps of each two heads, as whole maps, averaged over the batch.
 *
 * Rows of padded queries count like others; slice them away first where that matters.
 *
 * @param probabilities attention after the softmax, from any attention @shape [B, H, T, S]
 * @shape -> [H, H], 1 on the diagonal
 */
export function headCosines(probabilities: Tensor): Tensor {
  const [B, H, T, S] = probabilities.shape as readonly [number, number, number, number];
  const rows = probabilities.reshape(B, H, T * S);
  const length = rows.square().sum(-1, { keep: true }).sqrt(); // [B, H, 1]
  const unit = rows.div(length.add(1e-12));
  return unit.matmul(unit, { transposeRight: true }).mean(0);
}

/**
 * Mean cosine over ordered pairs of different heads: 1 where all heads look at the same, 0 where none share a token.
 *
 * @shape [B, H, T, S] -> []
 */
export function headSimilarity(probabilities: Tensor): Tensor {
  const H = probabilities.shape[1]!;
  if (H === 1) return probabilities.sum().mul(0).add(1);
  const cosines = headCosines(probabilities);
  const others = where(iota([H, H], 0).equal(iota([H, H], 1)), 0, cosines);
  return others.sum().mul(1 / (H * (H - 1)));
}
