/** Scaled dot-product attention: full, causal, padded, grouped queries, and any of these together. */

import { attend } from '../tensor/ops/attend.js';
import { constant, type Tensor } from '../tensor/tensor.js';
import { goldenNumber } from '../testing/golden.js';
import { compareRow, type Family, type Row } from './row.js';

const hidden = -1e9;

/** The file's name says which mask, `params` may say more. `keyMask` holds 1 where a key may be seen. */
export const attention: Family = (row, file) =>
  compareRow(row, ({ q, k, v, mask }) => {
    const [T, S] = [q!.shape[2]!, k!.shape[2]!];
    const causal = row.params?.['causal'] ?? row.params?.['isCausal'] ?? /causal/.test(file);
    const masks: Tensor[] = [];
    if (causal === true)
      masks.push(
        constant(
          Float64Array.from({ length: T * S }, (_, i) => (i % S > Math.floor(i / S) ? hidden : 0)),
          [T, S],
        ),
      );
    const keys = keyMaskOf(row);
    if (keys)
      masks.push(
        constant(
          keys.flat().map(seen => (seen ? 0 : hidden)),
          [keys.length, 1, 1, S],
        ),
      );
    if (mask) masks.push(mask.dtype === 'f32' ? mask : mask.cast('f32').sub(1).mul(-hidden));
    const joint = masks.reduce<Tensor | null>((sum, m) => (sum ? sum.add(m) : m), null);
    const scale = row.params?.['scale'];
    const factor = typeof scale === 'number' ? scale : goldenNumber(scale);
    return { y: attend(q!, k!, v!, joint, Number.isNaN(factor) ? {} : { scale: factor }) };
  });

/** @shape [B, S] */
function keyMaskOf({ params }: Row): readonly (readonly number[])[] | null {
  const rows = params?.['keyMask'];
  if (!Array.isArray(rows)) return null;
  const list = (Array.isArray(rows[0]) ? rows : [rows]) as readonly (readonly unknown[])[];
  return list.map(row => row.map(goldenNumber));
}
