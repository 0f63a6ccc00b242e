/** Scaled dot-product attention over heads. */

import { refuse } from '../../ir/path.js';
import { showTypes } from '../../ir/shape.js';
import { defineOp } from '../op.js';
import type { Shape } from '../../ir/types.js';
import type { Tensor } from '../tensor.js';
import { softmax } from './softmax.js';
import { softmaxSlope } from './softmax-matmul.js';

type Scale = { readonly scale: number };

/**
 * Inputs: query, key, value, and optionally a mask that is added to the scores. Outputs: the result, and the
 * probabilities [B, H, T, S], kept for the gradient.
 */
export const attendOp = defineOp<Scale>({
  name: 'attend',
  version: 1,
  infer(types) {
    const [q, k, v] = types;
    const lawful =
      types.length >= 3 &&
      types.slice(0, 3).every(t => t.shape.length === 4) &&
      q!.shape[3] === k!.shape[3] &&
      k!.shape[2] === v!.shape[2] &&
      k!.shape[1] === v!.shape[1] &&
      q!.shape[1]! % k!.shape[1]! === 0;
    if (!lawful) {
      refuse(
        'attend',
        'E_SHAPE',
        `expected query [B, H, T, d], key [B, G, S, d] and value [B, G, S, e] with G dividing H, received ${showTypes(types)}.`,
        { types },
      );
    }
    const [B, H, T] = q!.shape as readonly [number, number, number];
    return [
      { dtype: 'f32', shape: [B, H, T, v!.shape[3]!] },
      { dtype: 'f32', shape: [B, H, T, k!.shape[2]!] },
    ];
  },
  decompose([q, k, v, mask], { scale }) {
    const H = q!.shape[1]!;
    const scores = q!.matmul(repeatHeads(k!, H), { transposeRight: true }).mul(scale); // [B, H, T, S]
    const probabilities = softmax(mask ? scores.add(mask) : scores);
    return [probabilities.matmul(repeatHeads(v!, H)), probabilities];
  },
  vjp({ cts: [ct = null, ctProbabilities = null], inputs: [q, k, v, mask], outputs: [y, p], attrs: { scale } }) {
    const [H, G] = [q!.shape[1]!, k!.shape[1]!];
    const towards = ct && ct.matmul(repeatHeads(v!, H), { transposeRight: true }); // [B, H, T, S]
    const scores = softmaxSlope(p!, towards, ctProbabilities, ct && ct.mul(y!));
    return [
      scores.matmul(repeatHeads(k!, H)).mul(scale),
      sumHeads(scores.matmul(q!, { transposeLeft: true }).mul(scale), G),
      ct && sumHeads(p!.matmul(ct, { transposeLeft: true }), G),
      ...(mask ? [sumTo(scores, mask.shape)] : []),
    ];
  },
});

/** The gradient of `repeatHeads`. @shape [B, H, S, d] -> [B, G, S, d] */
function sumHeads(x: Tensor, groups: number): Tensor {
  const [B, H, S, d] = x.shape as readonly [number, number, number, number];
  return groups === H ? x : x.reshape(B, groups, H / groups, S, d).sum(2);
}

/** The gradient of broadcasting from `shape`. */
function sumTo(x: Tensor, shape: Shape): Tensor {
  const padded = [...new Array<number>(x.rank - shape.length).fill(1), ...shape];
  const grown = padded.flatMap((d, i) => (d === 1 && x.shape[i] !== 1 ? [i] : []));
  return (grown.length === 0 ? x : x.sum(grown)).reshape(...shape);
}

/** Grouped queries: each key head serves H / G query heads. @shape [B, G, S, d] -> [B, H, S, d] */
function repeatHeads(x: Tensor, heads: number): Tensor {
  const [B, G, S, d] = x.shape as readonly [number, number, number, number];
  return G === heads
    ? x
    : x
        .reshape(B, G, 1, S, d)
        .broadcastTo([B, G, heads / G, S, d])
        .reshape(B, heads, S, d);
}

/**
 * @param mask [T, S] or anything that broadcasts to [B, H, T, S]; added to the scores
 * @param options.scale 1 / sqrt(d) by default
 * @shape query [B, H, T, d], key [B, G, S, d], value [B, G, S, e] -> [B, H, T, e]
 */
export const attend = (
  query: Tensor,
  key: Tensor,
  value: Tensor,
  mask: Tensor | null = null,
  { scale = query.shape.at(-1)! ** -0.5 } = {},
): Tensor => attendOp(mask ? [query, key, value, mask] : [query, key, value], { scale })[0]!;
