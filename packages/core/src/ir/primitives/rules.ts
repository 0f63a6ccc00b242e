/** Checks that several shape rules share. */

import { refuse } from '../path.js';
import { sameShape, showTypes } from '../shape.js';
import type { Dtype, Shape, TensorType } from '../types.js';

export function expectSameShapes(op: string, types: readonly TensorType[]): void {
  if (!types.every(t => sameShape(t.shape, types[0]!.shape))) {
    refuse(
      op,
      'E_SHAPE',
      `expected equal shapes, received ${showTypes(types)}. Broadcast one to the other first; the Tensor methods do it.`,
      { types },
    );
  }
}

export function expectSameDtypes(op: string, types: readonly TensorType[]): void {
  if (!types.every(t => t.dtype === types[0]!.dtype)) {
    refuse(op, 'E_DTYPE', `expected equal dtypes, received ${showTypes(types)}. Cast one of them.`, { types });
  }
}

export function expectDtype(op: string, type: TensorType, allowed: readonly Dtype[]): void {
  if (!allowed.includes(type.dtype)) {
    refuse(op, 'E_DTYPE', `expected ${allowed.join(' or ')}, received ${showTypes([type])}. Cast it first.`, {
      type,
      allowed,
    });
  }
}

export function expectAxes(op: string, axes: readonly number[], shape: Shape): void {
  const rank = shape.length;
  const lawful = axes.every((a, i) => Number.isInteger(a) && a >= 0 && a < rank && (i === 0 || a > axes[i - 1]!));
  if (!lawful) {
    refuse(
      op,
      'E_ATTRIBUTE',
      `expected axes in rising order between 0 and ${rank - 1}, received [${axes.join(', ')}] for shape [${shape.join(', ')}].`,
      { axes, shape },
    );
  }
}

export function expectAxis(op: string, axis: number, rank: number): void {
  if (!Number.isInteger(axis) || axis < 0 || axis >= rank) {
    refuse(op, 'E_ATTRIBUTE', `expected an axis between 0 and ${rank - 1}, received ${axis}.`, { axis, rank });
  }
}
