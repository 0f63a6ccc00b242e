/** Which convolutions an EMHA has, and how many numbers it trains. */

import { sizeOf, type Shape } from '@heddle/core';
import { emhaSizes, type EmhaConfig, type EmhaSizes } from './options.js';

/** Convolution weights. @shape [groups, outputs of a group, kernel, inputs of a group] */
export type ConvolutionShape = readonly [groups: number, out: number, kernel: number, into: number];

export interface ConvolutionShapes {
  readonly inner: { readonly expand?: ConvolutionShape; readonly reduce?: ConvolutionShape };
  readonly cross: { readonly expand?: ConvolutionShape; readonly reduce?: ConvolutionShape };
}

/** @shape channels [into] -> [out] */
const shape = (groups: number, out: number, kernel: number, into: number): ConvolutionShape => [
  groups,
  out / groups,
  kernel,
  into / groups,
];

export function convolutionShapes(sizes: EmhaSizes): ConvolutionShapes {
  const { heads, keyHeads, form, inner, cross, innerHidden, innerGroups, innerKernel } = sizes;
  const { crossHidden, crossGroups, crossKernel } = sizes;
  const expand = shape(innerGroups, innerHidden, innerKernel, heads * keyHeads);
  if (form === 'light')
    return { inner: { expand }, cross: { reduce: shape(crossGroups, heads, crossKernel, innerHidden) } };
  if (form === 'map') return { inner: { expand }, cross: {} };
  return {
    inner: inner === 'mix' ? { expand, reduce: shape(innerGroups, heads, innerKernel, innerHidden) } : {},
    cross: cross
      ? {
          expand: shape(crossGroups, crossHidden, crossKernel, heads),
          reduce: shape(crossGroups, heads, crossKernel, crossHidden),
        }
      : {},
  };
}

export interface EmhaCount {
  /** Queries, keys, values and output, with their biases. */
  readonly projections: number;
  readonly innerExpand: number;
  readonly innerReduce: number;
  readonly crossExpand: number;
  readonly crossReduce: number;
  readonly relative: number;
  /** What it has beyond plain attention: all but the projections. */
  readonly extra: number;
  readonly total: number;
}

/** The number of trainable numbers, exactly, without building anything. @throws E_CONFIG */
export function emhaParameters(config: EmhaConfig): EmhaCount {
  const sizes = emhaSizes(config);
  const { inner, cross } = convolutionShapes(sizes);
  const { width, keyHeads, headWidth, bias, relative } = sizes;
  const dense = (to: number): number => width * to + (bias ? to : 0);
  const convolution = (weight: Shape | undefined): number => (weight ? sizeOf(weight) + weight[0]! * weight[1]! : 0);
  const parts = {
    innerExpand: convolution(inner.expand),
    innerReduce: convolution(inner.reduce),
    crossExpand: convolution(cross.expand),
    crossReduce: convolution(cross.reduce),
    relative: relative === 0 ? 0 : (2 * relative + 1) * headWidth,
  };
  const extra = Object.values(parts).reduce((sum, n) => sum + n, 0);
  const projections = 2 * dense(width) + 2 * dense(keyHeads * headWidth);
  return { projections, ...parts, extra, total: projections + extra };
}
