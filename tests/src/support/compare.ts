/** How far two tensors are apart, and whether they are the same bits. */

import type { HostTensor } from '@heddle/core';

type Tensors = Readonly<Record<string, HostTensor>>;

/**
 * The largest difference, relative to the largest element of the expected tensor: the measure in which backends state
 * their tolerance. Integers and bools differ by nothing or by infinity. NaN equals NaN only.
 */
function gap(expected: HostTensor, received: HostTensor): number {
  if (expected.dtype !== received.dtype || expected.shape.join() !== received.shape.join()) return Infinity;
  let [worst, largest] = [0, 0];
  for (let i = 0; i < expected.data.length; i++) {
    const [e, r] = [expected.data[i]!, received.data[i]!];
    if (Object.is(e, r) || e === r) {
      largest = Math.max(largest, Math.abs(e));
      continue;
    }
    if (expected.dtype !== 'f32' || !Number.isFinite(e) || !Number.isFinite(r)) return Infinity;
    largest = Math.max(largest, Math.abs(e));
    worst = Math.max(worst, Math.abs(e - r));
  }
  return worst === 0 ? 0 : worst / Math.max(largest, 1e-6);
}

/** The widest gap over named tensors, with its name. */
export function widest(expected: Tensors, received: Tensors): { readonly name: string; readonly gap: number } {
  let worst = { name: '', gap: 0 };
  const names = [...new Set([...Object.keys(expected), ...Object.keys(received)])];
  for (const name of names) {
    const [e, r] = [expected[name], received[name]];
    const here = e && r ? gap(e, r) : Infinity;
    if (here > worst.gap) worst = { name, gap: here };
  }
  return worst;
}

/** Names, types and bytes as one text, so that a difference shows its place and equality means equal bits. */
export const bits = (tensors: Tensors): readonly string[] =>
  Object.entries(tensors)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { dtype, shape, data }]) => {
      const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
      return `${name} ${dtype}[${shape.join()}] ${bytes.toString('base64')}`;
    });
