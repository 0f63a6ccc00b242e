/** The one contraction. Transposition is a flag, so that no gradient materialises a transpose. */

import { refuse } from '../path.js';
import { definePrimitive } from '../primitive.js';
import { sameShape, showTypes, sizeOf } from '../shape.js';
import type { Value } from '../types.js';
import { expectDtype } from './rules.js';

export interface MatmulFlags {
  readonly transposeLeft?: boolean;
  readonly transposeRight?: boolean;
}

type Flags = { readonly transposeLeft: boolean; readonly transposeRight: boolean };

export const matmulNode = definePrimitive<Flags>({
  name: 'matmul',
  arity: 2,
  shape: '[...b, m, k], [...b, k, n] -> [...b, m, n], after the flags',
  gradient: 'ct . Zt, Xt . ct (and the three transposed cases)',
  infer(types, { transposeLeft, transposeRight }) {
    const [x, z] = types;
    types.forEach(t => expectDtype('matmul', t, ['f32']));
    const rank = x!.shape.length;
    if (rank < 2 || z!.shape.length !== rank || !sameShape(x!.shape.slice(0, -2), z!.shape.slice(0, -2))) {
      refuse(
        'matmul',
        'E_SHAPE',
        `expected two tensors of one rank from 2 up with equal leading axes, received ${showTypes(types)}.`,
        { types },
      );
    }
    const [m, k] = ends(x!.shape, transposeLeft);
    const [inner, n] = ends(z!.shape, transposeRight);
    if (k !== inner) {
      const flags = `${transposeLeft ? ', left transposed' : ''}${transposeRight ? ', right transposed' : ''}`;
      refuse(
        'matmul',
        'E_SHAPE',
        `expected equal inner sizes, received ${k} and ${inner} from ${showTypes(types)}${flags}.`,
        { types, inner: [k, inner] },
      );
    }
    return { dtype: 'f32', shape: [...x!.shape.slice(0, -2), m, n] };
  },
  vjp: ({ ct, inputs: [x, z], attrs: { transposeLeft: l, transposeRight: r } }) => [
    l ? matmul(z!, ct, { transposeLeft: r, transposeRight: true }) : matmul(ct, z!, { transposeRight: !r }),
    r ? matmul(ct, x!, { transposeLeft: true, transposeRight: l }) : matmul(x!, ct, { transposeLeft: !l }),
  ],
  evaluate([x, z], { transposeLeft, transposeRight }, { type, data }) {
    const [m, n] = type.shape.slice(-2) as [number, number];
    const [, k] = ends(x!.type.shape, transposeLeft);
    const [rowStep, leftStep] = transposeLeft ? [1, m] : [k, 1];
    const [columnStep, rightStep] = transposeRight ? [k, 1] : [1, n];
    const left = x!.data;
    const right = z!.data;
    const sums = new Float64Array(n);
    for (let batch = 0; batch < sizeOf(type.shape) / (m * n); batch++) {
      for (let i = 0; i < m; i++) {
        sums.fill(0);
        for (let q = 0; q < k; q++) {
          const a = left[batch * m * k + i * rowStep + q * leftStep]!;
          const from = batch * k * n + q * rightStep;
          for (let j = 0; j < n; j++) sums[j] = sums[j]! + a * right[from + j * columnStep]!;
        }
        data.set(sums, (batch * m + i) * n);
      }
    }
  },
});

const ends = (shape: readonly number[], transposed: boolean): readonly [number, number] => {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return transposed ? [columns, rows] : [rows, columns];
};

export const matmul = (
  x: Value,
  z: Value,
  { transposeLeft = false, transposeRight = false }: MatmulFlags = {},
): Value => matmulNode([x, z], { transposeLeft, transposeRight });
