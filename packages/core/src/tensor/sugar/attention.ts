/** What attention is made of. */

import { constant, type Tensor } from '../tensor.js';
import { clip } from './arithmetic.js';

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

/**
 * What each query gives for its distance to each key: a vector for each distance up to the reach, the last one for all
 * beyond (Shaw et al. 2018).
 *
 * @param own where queries stand, f32 @param theirs where keys stand, f32
 * @shape q [B, H, N, d], table [2 * reach + 1, d], own [B | 1, N], theirs [B | 1, S] -> [B, H, N, S]
 */
export function distanceScores(q: Tensor, table: Tensor, own: Tensor, theirs: Tensor): Tensor {
  const [reach, d] = [(table.shape[0]! - 1) / 2, table.shape[1]!];
  const [rows, N, S] = [Math.max(own.shape[0]!, theirs.shape[0]!), own.shape[1]!, theirs.shape[1]!];
  const apart = theirs.reshape(-1, 1, S).sub(own.reshape(-1, N, 1)); // [B | 1, N, S]
  const between = table.gather(clip(apart, -reach, reach).add(reach).cast('i32')).reshape(rows, N, S, d);
  if (rows === 1) {
    // All texts stand alike: one product a query place, for the heads of all texts.
    const [B, H] = q.shape as readonly [number, number];
    const places = q.transpose(2, 0, 1, 3).reshape(N, B * H, d);
    const scores = places.matmul(between.reshape(N, S, d), { transposeRight: true });
    return scores.reshape(N, B, H, S).transpose(1, 2, 0, 3);
  }
  return q.transpose(0, 2, 1, 3).matmul(between, { transposeRight: true }).transpose(0, 2, 1, 3);
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
