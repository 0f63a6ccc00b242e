/** Angles between tensors. The graph has no arc cosine; this makes one from what it has. */

import { abs, clip, where, type Tensor } from '@heddle/core';

/**
 * Arc cosine: a polynomial under a root (Abramowitz and Stegun 4.4.46, off by at most 2e-8), mirrored for negative numbers.
 *
 * @shape [...s] within [-1, 1] -> [...s] within [0, pi]
 */
export function arccos(cosine: Tensor): Tensor {
  const x = clip(cosine, -1, 1);
  const size = abs(x);
  const polynomial = coefficients.reduceRight<Tensor>((sum, c) => sum.mul(size).add(c), size.mul(0));
  const acute = size.mul(-1).add(1).sqrt().mul(polynomial);
  return where(x.less(0), acute.mul(-1).add(Math.PI), acute);
}

const coefficients = [
  1.5707963050, -0.2145988016, 0.0889789874, -0.0501743046, 0.0308918810, -0.0170881256, 0.0066700901, -0.0012624911,
]; // prettier-ignore

export const maximumOf = (x: Tensor, least: number): Tensor => where(x.less(least), least, x);

/** Length over all axes, or over the axes given, which stay with size 1. @shape [...s] -> [1...] */
export const lengthOf = (x: Tensor, axes?: readonly number[]): Tensor => x.square().sum(axes, { keep: true }).sqrt();

export const dotOf = (x: Tensor, y: Tensor, axes?: readonly number[]): Tensor => x.mul(y).sum(axes, { keep: true });
