/** Data that goes bad. */

import type { Batches } from '@heddle/core';
import { counted } from './training.js';

/** The batch of this number (from 0) weighs one position with infinity: the loss is no number there. */
export function poisoned(at: number): Batches {
  const good = counted();
  let count = 0;
  return {
    ...good,
    async next() {
      const got = (await good.next())!;
      if (count++ !== at) return got;
      const mask = got.batch['mask']!;
      return {
        ...got,
        batch: {
          ...got.batch,
          mask: { ...mask, data: Float32Array.from(mask.data, (x, i) => (i === 3 ? Infinity : x)) },
        },
      };
    },
  };
}
