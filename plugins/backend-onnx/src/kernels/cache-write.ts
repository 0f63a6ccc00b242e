/** The decoder's cache: new rows scattered to their places instead of a pass over the whole cache. */

import { defineKernel } from '@heddle/core';
import { ONNX } from '../kernel.js';

/** @shape cache [B, G, C, d], rows [B, G, N, d], places i32[B, N] -> [B, G, C, d] */
export const cacheWriteKernel = defineKernel(ONNX, {
  op: 'cacheWrite',
  build:
    ([, rows]) =>
    (write, [cache, fresh, places]) => {
      const [B, G, N] = rows!.shape as readonly [number, number, number, number];
      const ints = (data: readonly number[], shape: readonly number[]) => write.constant(data, shape, 'i64');
      // ScatterND wants [B, G, N, 3]: batch, head and place of each row.
      const corner = ints(
        Array.from({ length: B * G * N * 2 }, (_, i) =>
          i % 2 === 0 ? Math.floor(i / (2 * G * N)) : Math.floor(i / (2 * N)) % G,
        ),
        [B, G, N, 2],
      );
      const [wide] = write.node('Cast', [places!], { attributes: { to: 7 } });
      const [column] = write.node('Reshape', [wide!, ints([B, 1, N, 1], [4])]);
      const [every] = write.node('Expand', [column!, ints([B, G, N, 1], [4])]);
      const [index] = write.node('Concat', [corner, every!], { attributes: { axis: 3 } });
      return write.node('ScatterND', [cache!, index!, fresh!]);
    },
});
