/** Choosing: the largest, a random one by weight, the likely ones. No sort anywhere. */

import { iota, where, type Tensor } from '../tensor.js';

/** Index of the largest element of the last axis; ties go to the lowest. @shape [..., V] -> i32[...] */
export function argmax(x: Tensor): Tensor {
  const V = x.shape.at(-1)!;
  const top = x.max(-1, { keep: true });
  const back = where(x.equal(top), iota(x.shape, -1, 'f32').neg(), -V);
  return back.max(-1).neg().cast('i32');
}

/**
 * Draws an index of the last axis with the probabilities of a softmax: the Gumbel-max trick.
 *
 * @param noise uniform numbers of the logits' shape
 * @shape logits [..., V], noise [..., V] -> i32[...]
 */
export const sampleToken = (logits: Tensor, noise: Tensor): Tensor =>
  argmax(logits.sub(noise.add(1e-20).log().neg().add(1e-20).log()));

/**
 * Hides all but the most likely cells that together hold at least `share` of the probability (nucleus sampling,
 * Holtzman et al. 2020): 20 rounds of bisection on the threshold, without a sort.
 *
 * @shape probabilities [..., V] -> bool[..., V]
 */
export function nucleus(probabilities: Tensor, share: number): Tensor {
  let low = probabilities.max(-1, { keep: true }).mul(0);
  let high = low.add(1);
  for (let round = 0; round < 20; round++) {
    const middle = low.add(high).mul(0.5);
    const kept = where(probabilities.less(middle), 0, probabilities).sum(-1, { keep: true });
    const enough = kept.greater(share);
    low = where(enough, middle, low);
    high = where(enough, high, middle);
  }
  return probabilities.greater(low);
}

/** Running sum along the last axis, as a product with a triangle of ones. @shape [..., N] -> [..., N] */
export function cumsum(x: Tensor): Tensor {
  const n = x.shape.at(-1)!;
  const rows = x.reshape(-1, n);
  const triangle = where(iota([n, n], 1).less(iota([n, n], 0)), 0, 1);
  return rows.matmul(triangle).reshape(...x.shape);
}
