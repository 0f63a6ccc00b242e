/** Rotary positions in one pass over the rows, instead of a split, four products and a concatenation. */

import { defineKernel, rotateOp, type Shape, type TensorType } from '@heddle/core';
import { ONNX } from '../kernel.js';

/** How the tables stand to the rows [B, H, N, d]: one angle a token, shared by all rows or one for each. */
interface Tables {
  readonly B: number;
  readonly N: number;
  readonly half: number;
  readonly perRow: boolean;
}

/** null where the tables differ between heads or are narrower than the rows: then the decomposition broadcasts. */
function tablesOf([x, cos, sin]: readonly TensorType[]): Tables | null {
  if (x!.shape.length !== 4) return null;
  const [B, , N, d] = x!.shape as readonly [number, number, number, number];
  const wide = [1, 1, 1, 1, ...cos!.shape].slice(-4);
  const same = cos!.shape.join() === sin!.shape.join();
  const [b, h, n, half] = wide as [number, number, number, number];
  return same && h === 1 && n === N && half * 2 === d && (b === 1 || b === B) ? { B, N, half, perRow: b === B } : null;
}

/** The operator looks angles up by position; here the tables hold one row a token already, so positions count them. */
export const rotateKernel = defineKernel(ONNX, {
  op: rotateOp,
  accepts: types => tablesOf(types) !== null,
  build: (types, { layout }) => {
    const { B, N, half, perRow } = tablesOf(types)!;
    const rows: Shape = [perRow ? B * N : N, half];
    const places = Array.from({ length: B * N }, (_, i) => (perRow ? i : i % N));
    return (write, [x, cos, sin]) => {
      const [c, s] = [cos!, sin!].map(table =>
        types[1]!.shape.length === 2 ? table : write.node('Reshape', [table, write.constant(rows, [2], 'i64')])[0]!,
      );
      return write.node('RotaryEmbedding', [x!, write.constant(places, [B, N], 'i64'), c!, s!], {
        attributes: { interleaved: Number(layout === 'interleaved') },
        domain: 'com.microsoft',
      });
    };
  },
});
