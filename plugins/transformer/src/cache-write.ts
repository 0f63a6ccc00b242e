/** Writing new rows into a cache of static shape. */

import { defineOp, iota, refuse, sameShape, showTypes, where, type Tensor, type TensorType } from '@heddle/core';

function lawful([cache, rows, places, ...more]: readonly TensorType[]): boolean {
  if (!cache || !rows || !places || more.length > 0) return false;
  const [B, G, , d] = cache.shape;
  const N = rows.shape[2]!;
  return (
    cache.shape.length === 4 &&
    sameShape(rows.shape, [B!, G!, N, d!]) &&
    places.dtype === 'i32' &&
    sameShape(places.shape, [B!, N])
  );
}

/**
 * The cache with `rows` at `places`: `out[b, g, places[b, n]] = rows[b, g, n]`, all else as before.
 *
 * An op of its own because engines can write in place, at the cost of the rows alone. The places of one b must differ:
 * what two rows at one place give is undefined. So is what a place outside of the cache gives.
 *
 * @shape cache [B, G, C, d], rows [B, G, N, d], places i32[B, N] -> [B, G, C, d]
 */
export const cacheWriteOp = defineOp({
  name: 'cacheWrite',
  version: 1,
  infer(types) {
    if (!lawful(types)) {
      refuse(
        'cacheWrite',
        'E_SHAPE',
        `expected a cache [B, G, C, d], rows [B, G, N, d] and places i32[B, N], received ${showTypes(types)}.`,
        { types },
      );
    }
    return [types[0]!];
  },
  decompose([cache, rows, places]) {
    const [B, , C] = cache!.shape as readonly [number, number, number, number];
    const N = rows!.shape[2]!;
    const hit = iota([B, N, C], 2).equal(places!.reshape(B, N, 1)); // [B, N, C]
    if (N === 1) return [where(hit.reshape(B, 1, C, 1), rows!, cache!)];
    const chosen = where(hit, 1, 0);
    // One 1 in each column that is written: the product moves rows without rounding them.
    const moved = chosen.reshape(B, 1, N, C).matmul(rows!, { transposeLeft: true }); // [B, G, C, d]
    const written = chosen.max(1).greater(0); // [B, C]
    return [where(written.reshape(B, 1, C, 1), moved, cache!)];
  },
});

/** @shape cache [B, G, C, d], rows [B, G, N, d], places i32[B, N] -> [B, G, C, d] */
export const cacheWrite = (cache: Tensor, rows: Tensor, places: Tensor): Tensor =>
  cacheWriteOp([cache, rows, places], {})[0]!;
