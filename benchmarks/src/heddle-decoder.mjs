/**
 * The decoder of the decode benchmark in Heddle's tensor functions: what `plugins/transformer` builds from
 * configuration, spelled out, so that the session is measured apart from the generator.
 */

import {
  attend,
  constant,
  defineOp,
  f32,
  i32,
  iota,
  joinHeads,
  rmsNorm,
  rotate,
  silu,
  splitHeads,
  trace,
  where,
} from '@heddle/core';
import { angles, gains, matrices } from './decoder-shape.mjs';

/** By the name that engines have a kernel for. @shape cache [B, G, C, d], rows [B, G, N, d], places i32[B, N] */
const cacheWrite = defineOp({
  name: 'cacheWrite',
  version: 1,
  infer: ([cache]) => [cache],
  decompose([cache, rows, places]) {
    const [B, G, C, d] = cache.shape;
    const here = iota([B, G, C, d], 2).equal(places.reshape(B, 1, 1, 1));
    return [where(here, rows, cache)];
  },
});

const cacheTypes = ({ L, G, S, D, H }, B) =>
  Object.fromEntries(
    Array.from({ length: L }, (_, l) => [`keys${l}`, `values${l}`])
      .flat()
      .map(name => [name, f32(B, G, S, D / H)]),
  );

/** One token for each of B rows. */
export function decoderGraph(dims, B) {
  const { V, D, L, H, G, S } = dims;
  const { cos, sin, half } = angles(dims);
  const weights = Object.fromEntries([...matrices(dims), ...gains(dims)].map(([name, shape]) => [name, f32(...shape)]));
  const types = { ...weights, ...cacheTypes(dims, B), ids: i32(B), position: i32(B, 1), mask: f32(S) };
  return trace(types, t => {
    // One row of angles for each row of the batch. @shape [B, 1, 1, half]
    const [c, s] = [cos, sin].map(table => constant(table, [S, half]).gather(t.position).reshape(B, 1, 1, half));
    const cache = {};
    const write = (name, rows) => (cache[`${name}_next`] = cacheWrite([t[name], rows, t.position], {})[0]);
    const attention = (x, l) => {
      const q = rotate(splitHeads(x.matmul(t[`q${l}`]), H), c, s);
      const k = rotate(splitHeads(x.matmul(t[`k${l}`]), G), c, s);
      const v = splitHeads(x.matmul(t[`v${l}`]), G);
      // The queries of a key head stand as rows, so that keys need not be repeated. @shape [B, G, H / G, d]
      const rows = q.reshape(B, G, H / G, D / H);
      const seen = attend(rows, write(`keys${l}`, k), write(`values${l}`, v), t.mask.reshape(1, S)).reshape(...q.shape);
      return joinHeads(seen).matmul(t[`o${l}`]);
    };
    const feedForward = (x, l) =>
      silu(x.matmul(t[`gate${l}`]))
        .mul(x.matmul(t[`up${l}`]))
        .matmul(t[`down${l}`]);
    let x = t.embedding.gather(t.ids).reshape(B, 1, D);
    for (let l = 0; l < L; l++) {
      x = x.add(attention(rmsNorm(x, t[`norm1_${l}`]), l));
      x = x.add(feedForward(rmsNorm(x, t[`norm2_${l}`]), l));
    }
    const logits = rmsNorm(x, t.norm).reshape(B, D).matmul(t.embedding, { transposeRight: true });
    return { logits: logits.reshape(B, V), ...cache };
  });
}

export const emptyCache = (dims, B) =>
  Object.fromEntries(
    Object.entries(cacheTypes(dims, B)).map(([name, { shape }]) => [
      name,
      { dtype: 'f32', shape, data: new Float32Array(shape.reduce((a, b) => a * b)) },
    ]),
  );
