/** Convolutions over attention maps: grouped over maps, of one query row and a few neighbouring keys. */

import { concat, type Tensor } from '@heddle/core';

/**
 * "Same" convolution along one axis, zeros beyond the ends, stride 1: all offsets in one product.
 *
 * Core's `convolve` runs over squares of maps; here a kernel has one row, since no query may look at another's cells.
 *
 * @param axis 3 for keys of maps, 2 for keys of key vectors
 * @shape x [B, C, T, S], weight [G, O / G, k, C / G] -> [B, O, T, S]
 */
export function convolveAlong(axis: 2 | 3, x: Tensor, weight: Tensor): Tensor {
  const [B, , T, S] = x.shape as readonly [number, number, number, number];
  const [G, o, k, c] = weight.shape as readonly [number, number, number, number];
  const product = weight.reshape(1, G, o, k * c).matmul(windows(axis, x, G, k).reshape(B, G, k * c, T * S));
  return product.reshape(B, G * o, T, S);
}

/** The maps once for each offset of the kernel, beside each other. @shape [B, C, T, S] -> [B, G, k * C / G, T, S] */
function windows(axis: 2 | 3, x: Tensor, G: number, k: number): Tensor {
  const [B, C, T, S] = x.shape as readonly [number, number, number, number];
  const grouped = x.reshape(B, G, C / G, T, S);
  if (k === 1) return grouped;
  const edge = (k - 1) / 2;
  const padded = grouped.pad(axis + 1, edge, edge);
  const size = axis === 2 ? T : S;
  return concat(
    Array.from({ length: k }, (_, offset) => padded.slice(axis + 1, offset, offset + size)),
    2,
  );
}

/** Along the keys of maps, with a bias for each map it makes. @shape bias [O] */
export const convolveMaps = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  convolveAlong(3, x, weight).add(bias.reshape(bias.size, 1, 1));
