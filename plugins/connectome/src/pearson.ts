/** Correlations of time series. */

import { fail } from '@heddle/core';

export interface Correlations {
  /** f32 [R, R] */
  readonly matrix: Float32Array;
  /** Regions whose signal never changes: their correlations are undefined, and 0 here. */
  readonly constant: number;
}

/**
 * Pearson's correlation of each pair of regions, in double precision.
 *
 * @param series [T, R], row by row: one row for each moment
 * @throws E_MATRIX for fewer than 2 moments or regions, and for values that are not finite
 */
export function pearson(series: ArrayLike<number>, T: number, R: number, name = 'series'): Correlations {
  if (T < 2 || R < 2)
    fail('E_MATRIX', `${name}: expected at least 2 moments of 2 regions, received ${T} of ${R}. Check the file.`, {
      name,
      T,
      R,
    });
  // One row for each region, centred and of length 1: correlations are then dot products.
  const rows = Array.from({ length: R }, () => new Float64Array(T));
  let constant = 0;
  const matrix = new Float32Array(R * R);
  for (let r = 0; r < R; r++) {
    const row = rows[r]!;
    let sum = 0;
    for (let t = 0; t < T; t++) {
      const value = series[t * R + r]!;
      if (!Number.isFinite(value))
        fail(
          'E_MATRIX',
          `${name}: row ${t + 1}, column ${r + 1}: expected a finite number, received ${value}. Mend the series, or leave the subject out.`,
          { name, row: t, column: r },
        );
      row[t] = value;
      sum += value;
    }
    let [square, largest] = [0, 0];
    for (let t = 0; t < T; t++) {
      largest = Math.max(largest, Math.abs(row[t]!));
      row[t] = row[t]! - sum / T;
      square += row[t]! ** 2;
    }
    // What is left of a constant is rounding.
    if (Math.sqrt(square / T) <= 1e-12 * largest) {
      constant++;
      row.fill(0);
    } else {
      const length = Math.sqrt(square);
      for (let t = 0; t < T; t++) row[t] = row[t]! / length;
    }
    matrix[r * R + r] = 1;
  }
  for (let a = 0; a < R; a++) {
    const left = rows[a]!;
    for (let b = 0; b < a; b++) {
      const right = rows[b]!;
      let dot = 0;
      for (let t = 0; t < T; t++) dot += left[t]! * right[t]!;
      matrix[a * R + b] = matrix[b * R + a] = Math.max(-1, Math.min(1, dot));
    }
  }
  return { matrix, constant };
}
