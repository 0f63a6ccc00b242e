/** How two checkpoints differ, tensor by tensor. */

import { openCheckpoint, type Checkpoint } from '../checkpoint/open.node.js';
import { isFloat } from '../checkpoint/view.js';
import { rowsOf } from '../plan/plan.js';
import { converter } from '../run/convert.js';
import { openFiles, readerOf, readInto } from '../run/reader.node.js';

export interface TensorDifference {
  readonly name: string;
  readonly kind: 'equal' | 'different' | 'shape' | 'only-first' | 'only-second' | 'integers';
  /** Largest |a - b|. */
  readonly largest: number | null;
  /** |a - b| / |a| */
  readonly distance: number | null;
  readonly cosine: number | null;
  readonly detail: string;
}

export async function* diffModels(
  first: string,
  second: string,
  places: { readonly from: string; readonly models?: readonly string[] },
): AsyncIterable<TensorDifference> {
  const opened: Checkpoint[] = [];
  const files = openFiles();
  const convert = converter();
  try {
    const [a, b] = [await openCheckpoint(first, places), await openCheckpoint(second, places)];
    opened.push(a, b);
    for (const name of new Set([...a.view.tensors.keys(), ...b.view.tensors.keys()])) {
      const [x, y] = [a.view.tensors.get(name), b.view.tensors.get(name)];
      const show = (tensor: NonNullable<typeof x>): string => `${tensor.dtype} [${tensor.shape.join(', ')}]`;
      const plain = { name, largest: null, distance: null, cosine: null };
      if (x === undefined || y === undefined) {
        yield { ...plain, kind: x ? 'only-first' : 'only-second', detail: show((x ?? y)!) };
        continue;
      }
      if (x.shape.join() !== y.shape.join()) {
        yield { ...plain, kind: 'shape', detail: `${show(x)} and ${show(y)}` };
        continue;
      }
      const detail = x.dtype === y.dtype ? show(x) : `${show(x)} and ${y.dtype}`;
      if (!isFloat(x.dtype) || !isFloat(y.dtype)) {
        yield { ...plain, kind: 'integers', detail };
        continue;
      }
      const { elements, columns } = rowsOf(x.shape);
      const size = Math.max(1, Math.floor(8192 / Math.max(1, columns))) * Math.max(1, columns);
      const options = { files, converter: convert, hold: false, ahead: 2 << 20, to: Infinity };
      const [left, right] = [readerOf(x.source, options), readerOf(y.source, options)];
      const [p, q] = [new Float32Array(size), new Float32Array(size)];
      let [largest, gap, pp, qq, pq] = [0, 0, 0, 0, 0];
      for (let at = 0; at < elements; at += size) {
        const length = Math.min(size, elements - at);
        readInto(left, at, length, p);
        readInto(right, at, length, q);
        for (let i = 0; i < length; i++) {
          const d = p[i]! - q[i]!;
          if (!(Math.abs(d) <= largest))
            largest = Number.isNaN(d) ? (Object.is(p[i], q[i]) ? largest : NaN) : Math.abs(d);
          gap += d * d;
          pp += p[i]! * p[i]!;
          qq += q[i]! * q[i]!;
          pq += p[i]! * q[i]!;
        }
        await new Promise(resolve => setImmediate(resolve));
      }
      yield {
        name,
        kind: largest === 0 ? 'equal' : 'different',
        largest,
        distance: gap === 0 ? 0 : Math.sqrt(gap / (pp || gap)),
        cosine: pp * qq === 0 ? null : pq / Math.sqrt(pp * qq),
        detail,
      };
    }
  } finally {
    files.close();
    await Promise.all(opened.map(one => one.close()));
  }
}
