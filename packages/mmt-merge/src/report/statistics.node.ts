/** What the inputs of a merge are to each other and to its result, tensor by tensor, in one pass over the files. */

import { type MergeArray } from '@heddle/core';
import type { TensorFile } from '@heddle/core/files';
import { placeOf } from '../checkpoint/names.js';
import type { MergePlan, TensorPlan } from '../plan/plan.js';
import type { StoredSource } from '../plan/source.js';
import { rowsOf } from '../plan/plan.js';
import { converter } from '../run/convert.js';
import { openFiles, readerOf, readInto, type Read } from '../run/reader.node.js';

export interface TensorStatistics {
  readonly name: string;
  readonly layer: number | null;
  /** The name within its layer. */
  readonly part: string;
  readonly elements: number;
  /** Length of the result, and of its difference from the base; null where there is no result. */
  readonly norm: number | null;
  readonly change: number | null;
  /** Length of each task vector: the model less the base, or less the mean of the models where there is no base. */
  readonly taskNorms: readonly { readonly model: string; readonly norm: number }[];
  /** Cosine of each pair of task vectors. */
  readonly cosines: readonly { readonly first: string; readonly second: string; readonly cosine: number }[];
  /** Share of the elements where two task vectors have opposite signs. */
  readonly conflicts: number | null;
  /** Sum of |result - base| over the sum of |weight * task vector|: what trimming and elections left. */
  readonly retained: number | null;
  readonly notFinite: number;
}

/**
 * @param result the merged checkpoint; null before there is one
 */
export function* statisticsOf(plan: MergePlan, result: TensorFile | null): Iterable<TensorStatistics> {
  const files = openFiles();
  const convert = converter();
  try {
    for (const tensor of plan.tensors) {
      if (!['F32', 'F16', 'BF16', 'F64'].includes(tensor.dtype)) continue;
      yield ofTensor(tensor, plan, result, source =>
        readerOf(source, { files, converter: convert, hold: false, ahead: 2 << 20, to: Infinity }),
      );
    }
  } finally {
    files.close();
  }
}

function ofTensor(
  tensor: TensorPlan,
  plan: MergePlan,
  result: TensorFile | null,
  open: (source: TensorPlan['models'][number]['source']) => Read,
): TensorStatistics {
  const { elements, columns } = rowsOf(tensor.shape);
  const models = tensor.models.map(({ source }) => open(source));
  const base = tensor.base === null ? null : open(tensor.base.source);
  const entry = result?.has(tensor.name) ? result.entry(tensor.name) : null;
  const own =
    entry &&
    open({
      kind: 'stored',
      file: entry.file,
      start: entry.byteRange[0],
      dtype: entry.dtype,
      shape: entry.shape,
    } satisfies StoredSource);
  const weights = tensor.each.map(values => Math.abs(values['weight'] ?? 1));
  const n = models.length;
  const products = Array.from({ length: n }, () => new Float64Array(n));
  let [norm, change, moved, mass, conflicts, notFinite] = [0, 0, 0, 0, 0, 0];
  const size = Math.max(1, Math.floor(8192 / Math.max(1, columns))) * Math.max(1, columns);
  const array = (): MergeArray => new Float32Array(size);
  const [inputs, start, out] = [models.map(array), array(), array()];
  for (let at = 0; at < elements; at += size) {
    const length = Math.min(size, elements - at);
    for (const [i, read] of models.entries()) readInto(read, at, length, inputs[i]!);
    if (base !== null) readInto(base, at, length, start);
    else for (let i = 0; i < length; i++) start[i] = inputs.reduce((sum, x) => sum + x[i]! / n, 0);
    if (own !== null) readInto(own, at, length, out);
    for (let i = 0; i < length; i++) {
      let [positive, negative] = [false, false];
      for (let a = 0; a < n; a++) {
        const d = inputs[a]![i]! - start[i]!;
        if (!Number.isFinite(inputs[a]![i]!)) notFinite++;
        inputs[a]![i] = d;
        if (d > 0) positive = true;
        else if (d < 0) negative = true;
        mass += weights[a]! * Math.abs(d);
      }
      if (positive && negative) conflicts++;
      if (own !== null) {
        const y = out[i]!;
        norm += y * y;
        change += (y - start[i]!) ** 2;
        moved += Math.abs(y - start[i]!);
      }
    }
    for (let a = 0; a < n; a++)
      for (let b = a; b < n; b++) {
        let sum = 0;
        const [x, z] = [inputs[a]!, inputs[b]!];
        for (let i = 0; i < length; i++) sum += x[i]! * z[i]!;
        products[a]![b]! += sum;
      }
  }
  const title = (i: number): string => plan.sources[tensor.models[i]!.model]!;
  const lengthOf = (i: number): number => Math.sqrt(products[i]![i]!);
  const place = placeOf(tensor.name);
  const several = n > 1 && !tensor.copy;
  return {
    name: tensor.name,
    layer: place?.layer ?? null,
    part: place?.rest ?? tensor.name,
    elements,
    norm: own === null ? null : Math.sqrt(norm),
    change: own === null ? null : Math.sqrt(change),
    taskNorms: models.map((_, i) => ({ model: title(i), norm: lengthOf(i) })),
    cosines: several
      ? models.flatMap((_, a) =>
          models.slice(a + 1).map((__, k) => {
            const b = a + 1 + k;
            const size = lengthOf(a) * lengthOf(b);
            return { first: title(a), second: title(b), cosine: size === 0 ? 0 : products[a]![b]! / size };
          }),
        )
      : [],
    conflicts: several && elements > 0 ? conflicts / elements : null,
    retained: own === null || base === null || mass === 0 ? null : moved / mass,
    notFinite,
  };
}
