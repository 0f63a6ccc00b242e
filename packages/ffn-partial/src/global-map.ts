/** Residual-like attention: scores from the embedded input, computed once and added to those of every block. */

import {
  defineLayer,
  distanceScores,
  iota,
  layerNormLayer,
  param,
  splitHeads,
  type Layer,
  type Params,
  type Tensor,
} from '@heddle/core';
import { expectCount, refuse } from './config.js';
import { glorot } from './initialisers.js';
import { projection } from './linear.js';

export type GlobalMapConfig = {
  readonly width: number;
  /** Nominal heads: width / heads is the width d of a head. */
  readonly heads: number;
  readonly expandHeads: number;
  /** Normalises the embedded input. Without it the norm is there all the same, unused, as in the authors' files. */
  readonly preNorm: boolean;
  readonly bias: boolean;
  /** Longest distance k that keys tell apart (Shaw et al. 2018); 0: keys know no distance. */
  readonly distance: number;
  readonly epsilon: number;
};

export interface GlobalMapView {
  /** Keeps keys for later tokens and gives back all that may be looked at. @shape [B, E, T, d] -> [B, E, S, d] */
  readonly remember?: (name: 'key', rows: Tensor) => Tensor;
  /** Position of the first token of x where keys stand at positions 0, 1, 2… Only distances ask for it. Default 0. */
  readonly start?: number;
}

/** The global map: neither masked nor normalised. @shape x [B, T, C] -> [B, E, T, S] */
export type GlobalMap = Layer<Params, [x: Tensor, view?: GlobalMapView], Tensor>;

interface Wired {
  readonly norm: (x: Tensor) => Tensor;
  readonly query: (x: Tensor) => Tensor;
  readonly key: (x: Tensor) => Tensor;
  readonly distances: Tensor;
}

/**
 * Declares the map of a stack.
 *
 * @throws E_CONFIG for heads that do not divide the width
 */
export function globalMap(
  options: Pick<GlobalMapConfig, 'width' | 'heads' | 'expandHeads'> & Partial<GlobalMapConfig>,
): GlobalMap {
  const { width, heads, expandHeads: E, preNorm = true, bias = true, distance = 0, epsilon = 1e-5 } = options;
  for (const [name, value] of Object.entries({ width, heads, expandHeads: E })) expectCount('global map', name, value);
  expectCount('global map', 'distance', distance, 0);
  if (width % heads !== 0)
    refuse('global map', 'heads', `a divisor of the width ${width}`, heads, 'Change either: d = width / heads.');
  const d = width / heads;
  const spread = 2 * distance + 1;
  return defineLayer<Params, [x: Tensor, view?: GlobalMapView], Tensor>({
    name: 'globalMap',
    params: {
      norm: layerNormLayer(width, { epsilon }),
      query: projection(width, d * E, bias),
      key: projection(width, d * E, bias),
      ...(distance > 0 ? { distances: param([spread, d], glorot(d, spread)) } : {}),
    },
    apply(bound, x, { remember = (_: 'key', rows: Tensor): Tensor => rows, start = 0 } = {}) {
      const { norm, query, key, distances } = bound as unknown as Wired;
      const seen = preNorm ? norm(x) : x;
      const q = splitHeads(query(seen), E).mul(d ** -0.5); // [B, E, T, d]
      const k = remember('key', splitHeads(key(seen), E)); // [B, E, S, d]
      const map = q.matmul(k, { transposeRight: true });
      if (distance === 0) return map;
      const own = iota([1, q.shape[2]!], 1, 'f32').add(start);
      return map.add(distanceScores(q, distances, own, iota([1, k.shape[2]!], 1, 'f32')));
    },
  });
}
