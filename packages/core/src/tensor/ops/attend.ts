/** Scaled dot-product attention over heads. */

import { refuse } from '../../ir/path.js';
import { showTypes } from '../../ir/shape.js';
import { defineOp } from '../op.js';
import type { Tensor } from '../tensor.js';
import { softmax } from './softmax.js';

type Scale = { readonly scale: number };

/** Inputs: query, key, value, and optionally a mask that is added to the scores. */
export const attendOp = defineOp<Scale>({
  name: 'attend',
  version: 1,
  infer(types) {
    const [q, k, v] = types;
    const lawful = types.length >= 3 && types.slice(0, 3).every(t => t.shape.length === 4) && q!.shape[3] === k!.shape[3] && k!.shape[2] === v!.shape[2] && k!.shape[1] === v!.shape[1] && q!.shape[1]! % k!.shape[1]! === 0;
    if (!lawful) {
      refuse('attend', 'E_SHAPE', `expected query [B, H, T, d], key [B, G, S, d] and value [B, G, S, e] with G dividing H, received ${showTypes(types)}.`, { types });
    }
    return [{ dtype: 'f32', shape: [q!.shape[0]!, q!.shape[1]!, q!.shape[2]!, v!.shape[3]!] }];
  },
  decompose([q, k, v, mask], { scale }) {
    const H = q!.shape[1]!;
    const scores = q!.matmul(repeatHeads(k!, H), { transposeRight: true }).mul(scale); // [B, H, T, S]
    return [softmax(mask ? scores.add(mask) : scores).matmul(repeatHeads(v!, H))];
  },
});

/** Grouped queries: each key head serves H / G query heads. @shape [B, G, S, d] -> [B, H, S, d] */
function repeatHeads(x: Tensor, heads: number): Tensor {
  const [B, G, S, d] = x.shape as readonly [number, number, number, number];
  return G === heads ? x : x.reshape(B, G, 1, S, d).broadcastTo([B, G, heads / G, S, d]).reshape(B, heads, S, d);
}

/**
 * @param mask [T, S] or anything that broadcasts to [B, H, T, S]; added to the scores
 * @param options.scale 1 / sqrt(d) by default
 * @shape query [B, H, T, d], key [B, G, S, d], value [B, G, S, e] -> [B, H, T, e]
 */
export const attend = (query: Tensor, key: Tensor, value: Tensor, mask: Tensor | null = null, { scale = query.shape.at(-1)! ** -0.5 } = {}): Tensor =>
  attendOp(mask ? [query, key, value, mask] : [query, key, value], { scale })[0]!;
