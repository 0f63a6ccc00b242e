/** Sparsification alone: a mask, and perhaps a norm to keep. */

import { evaluate, host, type MergePiece, type MergeTask } from '@heddle/core';
import { caseOf, relativeError, type GoldenCase } from '@heddle/core/testing/golden';
import { columnsOf } from '../apply/tensors.js';
import {
  bernoulli,
  byRank,
  magnitude,
  magnitudeOutliers,
  norms,
  restored,
  type Norm,
  type Sparsifier,
} from '../parts/sparsify.js';
import { arrayOf, type Drawn, type Stored } from './merge.js';

interface SparsifyRow {
  readonly id: string;
  readonly method: string;
  readonly density: number;
  readonly params: Readonly<Record<string, unknown>>;
  readonly input: Stored;
  readonly expected: Stored;
  readonly bernoulliMasks?: readonly Drawn[];
}

const sparsifiers: Readonly<Record<string, Sparsifier>> = {
  magnitude,
  magnitude_outliers: magnitudeOutliers,
  random: bernoulli,
  della_magprune: byRank,
};

export function checkSparsify(row: SparsifyRow): GoldenCase {
  const sparsifier = sparsifiers[row.method];
  if (sparsifier === undefined) return { id: row.id, passed: false, detail: `no sparsification '${row.method}'` };
  const { gamma = 0.01, epsilon = 0.15, rescale_norm: norm = null } = row.params as Readonly<Record<string, unknown>>;
  const values = { density: row.density, gamma: Number(gamma), epsilon: Number(epsilon), compat: 1 };
  const input = arrayOf(row.input);
  const { shape } = row.input;
  const uniforms = Float32Array.from(input, (_, i) => (row.bernoulliMasks?.[0]?.mask[i] === 0 ? 1 : 0));
  const expected = arrayOf(row.expected);

  const graph = evaluate(
    (x, u) => {
      const kept = x.mul(sparsifier.graph(x, values, u));
      return norm === null ? kept : restored(x, kept, norm as Norm);
    },
    host(shape, input),
    host(shape, uniforms),
  ).data;

  const task: MergeTask = {
    shape,
    elements: input.length,
    columns: columnsOf(shape),
    models: 1,
    hasBase: true,
    options: {},
    each: [values],
    scratch: () => new Float32Array(input.length),
  };
  const piece: MergePiece = { start: 0, length: input.length, models: [input], base: null, uniforms: () => uniforms };
  const { looks, trim } = sparsifier.stream(task, 0);
  for (const look of looks) look(input, piece);
  const trimmed = input.slice();
  const kept = norm === null ? null : norms(norm as Norm);
  kept?.before(trimmed, trimmed.length);
  trim(trimmed, piece);
  kept?.after(trimmed, trimmed.length);
  const factor = kept?.factor() ?? 1;
  const pieces = trimmed.map(x => x * factor);
  return caseOf(row.id, [
    { name: 'in pieces', error: relativeError(plain(expected), plain(pieces)), tolerance: 1e-5 },
    { name: 'as a graph', error: relativeError(plain(expected), plain(graph)), tolerance: 1e-5 },
  ]);
}

/** Without signs of zeros. */
const plain = (data: ArrayLike<number>): Float32Array => Float32Array.from(data, x => x + 0);
