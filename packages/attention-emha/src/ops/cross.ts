/** Cross-subspace interaction: one map a head in, one map a head out, through hidden maps of all heads. */

import { defineOp, refuse, relu, showTypes, type Attrs } from '@heddle/core';
import { convolveMaps } from '../convolve.js';
import { zeroFill } from '../zero-fill.js';

export type CrossAttrs = Attrs & {
  /** Whether the last input is a mask by which the hidden maps are zero-filled. */
  readonly fill: boolean;
};

type Shape4 = readonly [number, number, number, number];

/**
 * Inputs: maps [B, H, T, S]; weight [g, o, k, H / g] and bias [g * o]; weight [g, H / g, k, o] and bias [H]; with
 * `fill` the mask [B | 1, 1, T | 1, S]. Output: maps [B, H, T, S].
 */
export const crossOp = defineOp<CrossAttrs>({
  name: 'emha.cross',
  version: 1,
  infer(types, { fill }) {
    const [maps, expand, expandBias, reduce, reduceBias, mask] = types;
    const H = maps!.shape[1]!;
    const [g, o, , into] = (expand?.shape ?? []) as unknown as Shape4;
    const lawful =
      types.length === (fill ? 6 : 5) &&
      maps!.shape.length === 4 &&
      expand!.shape.length === 4 &&
      reduce!.shape.length === 4 &&
      g * into === H &&
      expandBias!.shape[0] === g * o &&
      reduce!.shape[0] === g &&
      reduce!.shape[1]! * g === H &&
      reduce!.shape[3] === o &&
      reduceBias!.shape[0] === H &&
      (!fill || mask!.shape.length === 4);
    if (!lawful) {
      refuse(
        'emha.cross',
        'E_SHAPE',
        `expected maps [B, H, T, S], weights [g, o, k, H / g] and [g, H / g, k, o] with their biases, and with fill a mask [B, 1, T, S], received ${showTypes(types)}.`,
        { types },
      );
    }
    return [maps!];
  },
  decompose([maps, expand, expandBias, reduce, reduceBias, mask], { fill }) {
    const hidden = relu(convolveMaps(maps!, expand!, expandBias!));
    return [convolveMaps(zeroFill(hidden, fill ? mask! : null), reduce!, reduceBias!)];
  },
});
