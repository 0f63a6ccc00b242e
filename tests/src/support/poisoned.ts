/** Data that goes bad. */

import type { Batches, HostTensor } from '@heddle/core';
import { counted } from './training.js';

type Batch = Readonly<Record<string, HostTensor>>;

/** Good batches, but for the one of this number (from 0). */
function bent(at: number, bend: (batch: Batch) => Batch): Batches {
  const good = counted({ vocabulary: 16 });
  let count = 0;
  return {
    ...good,
    async next() {
      const got = (await good.next())!;
      return count++ === at ? { ...got, batch: bend(got.batch) } : got;
    },
  };
}

/** One position weighs infinity. */
export const poisoned = (at: number): Batches =>
  bent(at, batch => ({
    ...batch,
    mask: { ...batch['mask']!, data: Float32Array.from(batch['mask']!.data, (x, i) => (i === 3 ? Infinity : x)) },
  }));

/** A token that no other batch holds. */
export const withToken = (at: number, token: number): Batches =>
  bent(at, batch => ({
    ...batch,
    ids: { ...batch['ids']!, data: Int32Array.from(batch['ids']!.data, (x, i) => (i === 5 ? token : x)) },
  }));
