/** Clipping of gradients by their joint norm. */

import { minimum } from '../tensor/sugar/arithmetic.js';
import { full, type Tensor } from '../tensor/tensor.js';

/** Root of the sum of squares over all tensors. @returns f32[] */
export const globalNorm = (gradients: readonly Tensor[]): Tensor =>
  gradients
    .map(g => g.square().sum())
    .reduce((a, b) => a.add(b))
    .sqrt();

/**
 * Scales gradients down when their joint norm exceeds `limit`, as PyTorch's clip_grad_norm_ does.
 *
 * @returns the gradients, and the norm before clipping
 */
export function clipByNorm(
  gradients: readonly Tensor[],
  limit: number,
): { readonly gradients: Tensor[]; readonly norm: Tensor } {
  const norm = globalNorm(gradients);
  const factor = minimum(full([], limit).div(norm.add(1e-6)), 1);
  return { gradients: gradients.map(g => g.mul(factor)), norm };
}
