/** Relative positions on the keys (Shaw et al. 2018). */

import { constant, type Tensor } from '@heddle/core';

/**
 * What each query gives for the distance to each key. Queries are taken for the last T of S tokens: the whole text, or
 * what a step adds to it.
 *
 * @shape q [B, H, T, d], table [2 * reach + 1, d] -> [B, H, T, S], the same for every key head
 */
export function relativeMaps(q: Tensor, table: Tensor, S: number): Tensor {
  const [B, H, T, d] = q.shape as readonly [number, number, number, number];
  const reach = (table.shape[0]! - 1) / 2;
  const distance = (i: number): number => (i % S) - (S - T + Math.floor(i / S));
  const rows = Int32Array.from({ length: T * S }, (_, i) => Math.max(-reach, Math.min(reach, distance(i))) + reach);
  const between = table.gather(constant(rows, [T, S], 'i32')); // [T, S, d]
  const turned = q.transpose(2, 0, 1, 3).reshape(T, B * H, d);
  return turned.matmul(between, { transposeRight: true }).reshape(T, B, H, S).transpose(1, 2, 0, 3);
}
