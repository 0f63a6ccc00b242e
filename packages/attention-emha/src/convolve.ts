/** Convolutions over attention maps: grouped over maps, of one query row and a few neighbouring keys. */

import { convolve, type Tensor } from '@heddle/core';

/**
 * "Same" convolution along one axis. A kernel has one row: no query may look at another's cells.
 *
 * @param axis 3 for keys of maps, 2 for keys of key vectors
 * @shape x [B, C, T, S], weight [G, O / G, kernel, C / G], bias [O] -> [B, O, T, S]
 */
export function convolveAlong(axis: 2 | 3, x: Tensor, weight: Tensor, bias: Tensor | null = null): Tensor {
  const [G, o, kernel, c] = weight.shape as readonly [number, number, number, number];
  const window = axis === 2 ? [kernel, 1] : [1, kernel];
  return convolve(x, weight.reshape(G, o, ...window, c), bias);
}

/** Along the keys of maps. */
export const convolveMaps = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => convolveAlong(3, x, weight, bias);
