/** Sinusoidal positions as fairseq has them: sines before cosines, counted over tokens that are no padding. */

import { constant, cumsum, where, type Tensor } from '@heddle/core';

/**
 * Position of each token: 2, 3… under padding id 1, and the padding id itself at padding. Padding on the left moves
 * nothing.
 *
 * @shape ids i32[B, T] -> i32[B, T]
 */
export function tokenPositions(ids: Tensor, padding: number): Tensor {
  const real = where(ids.equal(padding), 0, 1); // f32[B, T]
  return cumsum(real).mul(real).add(padding).cast('i32');
}

/**
 * Rows by position; the row of padding is 0, and so is the last column of an odd width.
 *
 * @returns f32[length + padding + 1, width]
 */
export function sinusoids(length: number, width: number, padding: number): Tensor {
  const rows = length + padding + 1;
  const half = Math.floor(width / 2);
  const step = Math.log(10_000) / Math.max(1, half - 1);
  const wave = (i: number): number => {
    const [row, column] = [Math.floor(i / width), i % width];
    if (row === padding || column >= 2 * half) return 0;
    const angle = row * Math.exp(-step * (column % half));
    return column < half ? Math.sin(angle) : Math.cos(angle);
  };
  return constant(
    Float64Array.from({ length: rows * width }, (_, i) => wave(i)),
    [rows, width],
  );
}
