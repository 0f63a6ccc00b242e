import {
  defineLayer,
  fail,
  joinHeads,
  linear,
  relu,
  rotate,
  splitHeads,
  type AttentionPart,
  type AttentionView,
  type Tensor,
} from '@heddle/core';

/**
 * Attention without a softmax: a key counts by the square of its product with the query, where that is positive. One part
 * for encoders, decoders and the way between the two, over a whole text or over a cache.
 *
 * @shape [B, N, width] -> [B, N, width]
 */
export function warpAttention({ width, heads }: { readonly width: number; readonly heads: number }): AttentionPart {
  if (width % heads !== 0)
    fail('E_CONFIG', `squared: heads: expected a divisor of ${width}, received ${heads}.`, { heads });
  const rows = { heads, width: width / heads };
  const layer = defineLayer({
    name: 'squared',
    params: {
      query: linear(width, width),
      key: linear(width, width),
      value: linear(width, width),
      output: linear(width, width),
    },
    apply({ query, key, value, output }, x: Tensor, { mask, positions: { angles }, remember }: AttentionView): Tensor {
      const turn = (t: Tensor): Tensor => (angles ? rotate(t, angles.cos, angles.sin) : t);
      const q = turn(splitHeads(query(x), heads)); // [B, H, N, d]
      const k = remember('key', (from = x) => turn(splitHeads(key(from), heads))); // [B, H, S, d]
      const v = remember('value', (from = x) => splitHeads(value(from), heads));
      const seen = mask.add(1).greater(0).cast('f32'); // [B | 1, 1, N | 1, S]
      const weights = relu(q.matmul(k, { transposeRight: true }))
        .square()
        .mul(seen);
      return output(joinHeads(weights.div(weights.sum(-1, { keep: true }).add(1e-6)).matmul(v)));
    },
  });
  return { ...layer, memory: { key: rows, value: rows } } as unknown as AttentionPart;
}
