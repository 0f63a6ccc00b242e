/** How a model knows where a token stands in its text. */

import {
  constant,
  defineLayer,
  normal,
  param,
  ropeTables,
  type Layer,
  type Params,
  type PositionSignals,
  type Tensor,
} from '@heddle/core';
import { spread } from './dense.js';

export type { PositionSignals } from '@heddle/core';

/**
 * Where tokens stand: a number N for a whole text, positions 0 to N - 1 in every row; otherwise i32[B, N].
 *
 * A position is not a place in the cache: rows may fork, and paths then share positions at different places.
 */
export type Positions = number | Tensor;

export type PositionPart<P extends Params = Params> = Layer<P, [at: Positions], PositionSignals>;

/** What every position scheme is told; `options.positions` of the model's configuration is added to it. */
export type PositionConfig = {
  readonly width: number;
  readonly headWidth: number;
  /** Longest text in tokens. */
  readonly length: number;
  readonly base: number;
};

/** @shape table [L, w] -> [B | 1, N, w] */
function rowsAt(table: Tensor, at: Positions): Tensor {
  if (typeof at !== 'number') return table.gather(at);
  const w = table.shape[1]!;
  return table.slice(0, 0, at).reshape(1, at, w);
}

/** Queries and keys turned by angles that grow with the position (Su et al. 2021); feature i pairs with i + d/2. */
export const rotary = ({ headWidth, length, base }: PositionConfig) =>
  defineLayer({
    name: 'rotary',
    params: {},
    apply(_, at: Positions): PositionSignals {
      const { cos, sin } = ropeTables(typeof at === 'number' ? at : length, headWidth, base);
      const rows = (table: Tensor): Tensor => {
        const found = rowsAt(table, at);
        return found.reshape(found.shape[0]!, 1, found.shape[1]!, found.shape[2]!);
      };
      return { embedding: null, angles: { cos: rows(cos), sin: rows(sin) } };
    },
  });

/** One trained vector a position. */
export const learned = ({ width, length }: PositionConfig) =>
  defineLayer({
    name: 'learned',
    params: { weight: param([length, width], normal(spread)) },
    apply: ({ weight }, at: Positions): PositionSignals => ({ embedding: rowsAt(weight, at), angles: null }),
  });

/** Sines and cosines of many wavelengths (Vaswani et al. 2017), sines in even features. */
export const sinusoidal = ({ width, length }: PositionConfig) =>
  defineLayer({
    name: 'sinusoidal',
    params: {},
    apply(_, at: Positions): PositionSignals {
      const rows = typeof at === 'number' ? at : length;
      const wave = (i: number): number => {
        const feature = i % width;
        const angle = Math.floor(i / width) / 10_000 ** ((feature - (feature % 2)) / width);
        return feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
      };
      const table = constant(
        Float64Array.from({ length: rows * width }, (_x, i) => wave(i)),
        [rows, width],
      );
      return { embedding: rowsAt(table, at), angles: null };
    },
  });

/** Nothing but the causal mask tells order. */
export const noPositions = () =>
  defineLayer({
    name: 'none',
    params: {},
    apply: (_, _at: Positions): PositionSignals => ({ embedding: null, angles: null }),
  });
