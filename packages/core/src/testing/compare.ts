/** How far two tensors are apart, in words for a finding. */

import { sameShape, showType } from '../ir/shape.js';
import type { HostTensor, TensorType } from '../ir/types.js';

/**
 * Floats may differ by `tolerance` times the largest finite element expected; integers and bools not at all. Infinities
 * and NaN must stand in the same places.
 *
 * @returns at most one finding, naming the worst cell
 */
export function differences(
  what: string,
  expected: HostTensor,
  found: HostTensor | undefined,
  tolerance: number,
): readonly string[] {
  if (!found) return [`${what}: expected ${showType(expected)}, received nothing`];
  if (found.dtype !== expected.dtype || !sameShape(found.shape, expected.shape)) {
    return [`${what}: expected ${showType(expected)}, received ${showType(found)}`];
  }
  if (found.data.length !== expected.data.length) {
    return [`${what}: expected ${expected.data.length} cells, received ${found.data.length}`];
  }
  let largest = 0;
  for (const x of expected.data) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x));
  const allowed = expected.dtype === 'f32' ? tolerance * Math.max(largest, 1e-30) : 0;
  let [worst, at] = [0, -1];
  for (let i = 0; i < expected.data.length; i++) {
    const [a, b] = [expected.data[i]!, found.data[i]!];
    const gap = Object.is(a + 0, b + 0) ? 0 : Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Infinity;
    if (gap > worst) [worst, at] = [gap, i];
  }
  if (worst <= allowed) return [];
  return [
    `${what}: cell ${at}: expected ${expected.data[at]}, received ${found.data[at]} (allowed ${allowed.toExponential(1)})`,
  ];
}

/** The same for several named tensors. */
export const differencesAll = (
  expected: Readonly<Record<string, HostTensor>>,
  found: Readonly<Record<string, HostTensor>>,
  tolerance: number,
): readonly string[] => [
  ...Object.entries(expected).flatMap(([name, t]) => differences(name, t, found[name], tolerance)),
  ...Object.keys(found).flatMap(name => (name in expected ? [] : [`${name}: expected no such output`])),
];

export const typeOf = ({ dtype, shape }: TensorType): TensorType => ({ dtype, shape });
