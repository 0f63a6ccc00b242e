/** A subject: how the activity of brain regions goes together, and which group it belongs to. */

import { fail } from '@heddle/core';

export interface Subject {
  readonly id: string;
  /** f32 [R, R], row by row: correlations of the regions' activity, symmetric, 1 on the diagonal. */
  readonly matrix: Float32Array;
  /** 1: the group that is looked for (patients); 0: the other (controls). */
  readonly label: 0 | 1;
  /** Where it was measured; '' for nowhere in particular. */
  readonly site: string;
}

/** Matrices are read from printed decimals: more than rounding is a mistake. */
const tolerance = 1e-4;

/**
 * @param values row by row
 * @param name names the source in messages
 * @param missing what a cell that is no number becomes: an error, or no correlation
 * @throws E_MATRIX unless square, symmetric, and of numbers from -1 to 1
 */
export function checkMatrix(
  values: ArrayLike<number>,
  shape: readonly number[],
  name: string,
  missing: 'fail' | 'zero' = 'fail',
): Float32Array {
  const refuse = (what: string, details: Readonly<Record<string, unknown>> = {}): never =>
    fail('E_MATRIX', `${name}: ${what}`, { name, ...details });
  const [rows, columns] = shape;
  if (shape.length !== 2 || rows !== columns || rows! < 2)
    refuse(
      `expected a square matrix of at least 2 regions, received ${shape.join(' x ')}. If these are time series, say so: kind 'series'.`,
      { shape },
    );
  const R = rows!;
  const matrix = new Float32Array(R * R);
  for (let row = 0; row < R; row++)
    for (let column = 0; column < R; column++) {
      const value = values[row * R + column]!;
      if (Number.isNaN(value) && missing === 'zero') continue;
      const place = `row ${row + 1}, column ${column + 1}`;
      if (!(Math.abs(value) <= 1 + tolerance))
        refuse(
          `${place}: expected a correlation from -1 to 1, received ${value}. ${Number.isNaN(value) ? "Leave the subject out, or take missing 'zero'." : 'Undo a Fisher transform with tanh before saving.'}`,
          { row, column, value },
        );
      matrix[row * R + column] = Math.max(-1, Math.min(1, value));
      const other = values[column * R + row]!;
      if (column < row && !(Number.isNaN(other) && missing === 'zero') && Math.abs(value - other) > tolerance)
        refuse(`${place}: expected a symmetric matrix, received ${value} and ${other}. Save the whole matrix.`, {
          row,
          column,
        });
    }
  return matrix;
}
