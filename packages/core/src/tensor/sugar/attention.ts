/** What attention is made of. */

import { constant, type Tensor } from '../tensor.js';

/** @shape [B, T, D] -> [B, H, T, D/H] */
export const splitHeads = (x: Tensor, heads: number): Tensor => {
  const [B, T, D] = x.shape as readonly [number, number, number];
  return x.reshape(B, T, heads, D / heads).transpose(0, 2, 1, 3);
};

/** @shape [B, H, T, d] -> [B, T, H * d] */
export const joinHeads = (x: Tensor): Tensor => {
  const [B, H, T, d] = x.shape as readonly [number, number, number, number];
  return x.transpose(0, 2, 1, 3).reshape(B, T, H * d);
};

/**
 * Added to scores, hides later positions. Finite, so that a row where all is hidden stays finite; additive, so that
 * its gradient costs nothing.
 *
 * @returns f32[T, T]: 0 where a query may look, -1e9 where not
 */
export function causalMask(length: number): Tensor {
  const cells = Float64Array.from({ length: length * length }, (_, i) =>
    i % length > Math.floor(i / length) ? -1e9 : 0,
  );
  return constant(cells, [length, length]);
}

/** Angles of rotary positions, computed in double precision on the host. @shape -> cos and sin, both [T, d / 2] */
export function ropeTables(
  length: number,
  width: number,
  base = 10_000,
): { readonly cos: Tensor; readonly sin: Tensor } {
  const half = width / 2;
  const angle = (i: number): number => Math.floor(i / half) * base ** (-(i % half) / half);
  const table = (fn: (x: number) => number): Tensor =>
    constant(
      Float64Array.from({ length: length * half }, (_, i) => fn(angle(i))),
      [length, half],
    );
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
