/** A small network over heads, the same at every place: how G maps become E ("HDP"), and how heads interact. */

import { convolve, defineOp, refuse, relu, reluGrad, showTypes, type Tensor, type TensorType } from '@heddle/core';

export interface Mixing {
  /** @shape [G, J] */
  readonly up: Tensor;
  /** @shape [J] */
  readonly upBias: Tensor;
  /** @shape [J, K] */
  readonly down: Tensor;
  /** @shape [K] */
  readonly downBias: Tensor;
}

/**
 * A linear map of the heads at every place, as a convolution of 1 x 1: engines add its bias in passing.
 *
 * @shape x [B, G, 1, M], weight [G, J], bias [J] -> [B, J, 1, M]
 */
const overHeads = (x: Tensor, weight: Tensor, bias: Tensor): Tensor =>
  convolve(x, weight.transpose(1, 0).reshape(1, bias.size, 1, 1, x.shape[1]!), bias);
const overPlaces = (x: Tensor): Tensor => x.sum([0, 2]);

function expectMixing(types: readonly TensorType[]): readonly [number, number, number, number] {
  const [x, up, upBias, down, downBias, kept] = types.map(t => t.shape);
  const [B, G, M] = x ?? [];
  const [J, K] = [up?.[1], down?.[1]];
  const lawful =
    (types.length === 5 || types.length === 6) &&
    x!.length === 3 &&
    up!.join() === [G, J].join() &&
    upBias!.join() === [J].join() &&
    down!.join() === [J, K].join() &&
    downBias!.join() === [K].join() &&
    (kept === undefined || (types[5]!.dtype === 'bool' && kept.join() === [B, J, M].join()));
  if (!lawful) {
    refuse(
      'partial.mixHeads',
      'E_SHAPE',
      `expected x [B, G, M], weights [G, J], [J], [J, K], [K], and optionally bools [B, J, M], received ${showTypes(types)}.`,
      { types },
    );
  }
  return [B!, J!, K!, M!];
}

/**
 * Inputs: x [B, G, M], weights [G, J] and [J], [J, K] and [K], and optionally which of the hidden cells count,
 * bool [B, J, M] (dropout). Outputs: the result [B, K, M], and the hidden cells [B, J, M], which are all that the gradient keeps.
 */
export const mixHeadsOp = defineOp({
  name: 'partial.mixHeads',
  version: 1,
  infer(types) {
    const [B, J, K, M] = expectMixing(types);
    return [
      { dtype: 'f32', shape: [B, K, M] },
      { dtype: 'f32', shape: [B, J, M] },
    ];
  },
  decompose([x, up, upBias, down, downBias, kept]) {
    const [B, G, M] = x!.shape as readonly [number, number, number];
    const [J, K] = down!.shape as readonly [number, number];
    const active = relu(overHeads(x!.reshape(B, G, 1, M), up!, upBias!)); // [B, J, 1, M]
    const hidden = kept ? active.mul(kept.reshape(B, J, 1, M).cast('f32')) : active;
    return [overHeads(hidden, down!, downBias!).reshape(B, K, M), hidden.reshape(B, J, M)];
  },
  vjp({ cts: [ct = null, ctHidden = null], inputs: [x, up, , down, , kept], outputs: [, hidden] }) {
    // Second derivatives alone ask for the gradient of the hidden cells.
    const viaDown = ct && down!.matmul(ct);
    const towards = viaDown && ctHidden ? viaDown.add(ctHidden) : (viaDown ?? ctHidden!);
    // Dropped cells are 0 as shut ones are.
    const slope = reluGrad(hidden!, towards); // [B, J, M]
    return [
      up!.matmul(slope),
      x!.matmul(slope, { transposeRight: true }).sum(0),
      overPlaces(slope),
      ct && hidden!.matmul(ct, { transposeRight: true }).sum(0),
      ct && overPlaces(ct),
      ...(kept ? [null] : []),
    ];
  },
});

/**
 * The network over axis 1 of x, whatever stands behind it.
 *
 * @param kept which of the hidden cells count, for dropout, [B, J, ...]
 * @shape x [B, G, ...] -> [B, K, ...]
 */
export function mixHeads(x: Tensor, { up, upBias, down, downBias }: Mixing, kept: Tensor | null = null): Tensor {
  const [B, G, ...places] = x.shape as readonly [number, number, ...number[]];
  const [J, K] = down.shape as readonly [number, number];
  const weights = [up, upBias, down, downBias];
  const [mixed] = mixHeadsOp([x.reshape(B, G, -1), ...weights, ...(kept ? [kept.reshape(B, J, -1)] : [])], {});
  return mixed!.reshape(B, K, ...places);
}
