/** The feed-forward of every head, with shared weights, its residual and the gate: all that follows attention. */

import { defineOp, refuse, relu, reluGrad, showTypes, type Shape, type Tensor, type TensorType } from '@heddle/core';

export interface Feeding {
  /** @shape [d, R] */
  readonly up: Tensor;
  /** @shape [R] */
  readonly upBias: Tensor;
  /** @shape [R, d] */
  readonly down: Tensor;
  /** @shape [d] */
  readonly downBias: Tensor;
}

function expectFeeding(types: readonly TensorType[]): { readonly rows: number; readonly R: number; readonly x: Shape } {
  const [x, gate, up, upBias, down, downBias, kept] = types.map(t => t.shape);
  const [d, R] = up ?? [];
  const size = x?.reduce((n, s) => n * s, 1) ?? 0;
  const lawful =
    (types.length === 6 || types.length === 7) &&
    up!.length === 2 &&
    x!.length > 0 &&
    x!.at(-1)! % d! === 0 &&
    gate!.join() === x!.join() &&
    upBias!.join() === [R].join() &&
    down!.join() === [R, d].join() &&
    downBias!.join() === [d].join() &&
    (kept === undefined || (types[6]!.dtype === 'bool' && kept.join() === [size / d!, R].join()));
  if (!lawful) {
    refuse(
      'partial.feedHeads',
      'E_SHAPE',
      `expected x and gate [..., E * d], weights [d, R], [R], [R, d], [d], and optionally bools [cells of x / d, R], received ${showTypes(types)}.`,
      { types },
    );
  }
  return { rows: size / d!, R: R!, x: x! };
}

/**
 * Inputs: x and gate [..., E * d], weights [d, R] and [R], [R, d] and [d], and optionally which of the hidden
 * cells count, bool [N, R] (dropout), with N heads of all tokens. Outputs: (W2 relu(W1 x + b1) + b2 + x) * relu(gate); and kept for the
 * gradient, the hidden cells [N, R] and what the gate multiplies [..., E * d].
 */
export const feedHeadsOp = defineOp({
  name: 'partial.feedHeads',
  version: 1,
  infer(types) {
    const { rows, R, x } = expectFeeding(types);
    return [
      { dtype: 'f32', shape: x },
      { dtype: 'f32', shape: [rows, R] },
      { dtype: 'f32', shape: x },
    ];
  },
  decompose([x, gate, up, upBias, down, downBias, kept]) {
    const heads = x!.reshape(-1, up!.shape[0]!); // [N, d]
    const active = relu(heads.matmul(up!).add(upBias!));
    const hidden = kept ? active.mul(kept.cast('f32')) : active; // [N, R]
    const fed = hidden
      .matmul(down!)
      .add(downBias!)
      .add(heads)
      .reshape(...x!.shape);
    return [fed.mul(relu(gate!)), hidden, fed];
  },
  vjp({ cts: [ct = null, ctHidden = null, ctFed = null], inputs: [x, gate, up, , down, , kept], outputs }) {
    const [, hidden, fed] = outputs;
    const d = up!.shape[0]!;
    const viaGate = ct && ct.mul(relu(gate!));
    // Second derivatives alone ask for the gradients of what was kept.
    const towards = viaGate && ctFed ? viaGate.add(ctFed) : (viaGate ?? ctFed);
    const slope = towards && towards.reshape(-1, d); // [N, d]
    const viaDown = slope && slope.matmul(down!, { transposeRight: true });
    const towardsHidden = viaDown && ctHidden ? viaDown.add(ctHidden) : (viaDown ?? ctHidden!);
    // Dropped cells are 0 as shut ones are.
    const inner = reluGrad(hidden!, towardsHidden); // [N, R]
    const viaUp = inner.matmul(up!, { transposeRight: true }); // [N, d]
    return [
      (slope ? viaUp.add(slope) : viaUp).reshape(...x!.shape),
      ct && reluGrad(gate!, ct.mul(fed!)),
      x!.reshape(-1, d).matmul(inner, { transposeLeft: true }),
      inner.sum(0),
      slope && hidden!.matmul(slope, { transposeLeft: true }),
      slope && slope.sum(0),
      ...(kept ? [null] : []),
    ];
  },
});

/**
 * @param kept which of the hidden cells count, for dropout, [N, R]
 * @shape x, gate [..., E * d] -> [..., E * d]
 */
export const feedHeads = (
  x: Tensor,
  gate: Tensor,
  { up, upBias, down, downBias }: Feeding,
  kept: Tensor | null = null,
): Tensor => feedHeadsOp([x, gate, up, upBias, down, downBias, ...(kept ? [kept] : [])], {})[0]!;
