/** Grouped convolution over maps: one slice and one grouped product for each offset of the window. */

import type { Tensor } from '../tensor.js';

/**
 * "Same" convolution, stride 1.
 *
 * @shape x [B, C, T, S], weight [k * k, G, O/G, C/G] -> [B, O, T, S]
 */
export function convolve(x: Tensor, weight: Tensor, window: number): Tensor {
  const [B, C, T, S] = x.shape as readonly [number, number, number, number];
  const [, G, o] = weight.shape as readonly [number, number, number, number];
  const edge = (window - 1) / 2;
  const padded = window === 1 ? x : x.pad(2, edge, edge).pad(3, edge, edge);
  let sum: Tensor | null = null;
  for (let offset = 0; offset < window * window; offset++) {
    const [i, j] = [Math.floor(offset / window), offset % window];
    const view = padded
      .slice(2, i, i + T)
      .slice(3, j, j + S)
      .reshape(B, G, C / G, T * S);
    const part = weight.slice(0, offset, offset + 1).matmul(view); // [B, G, O/G, T * S]
    sum = sum ? sum.add(part) : part;
  }
  return sum!.reshape(B, G * o, T, S);
}
