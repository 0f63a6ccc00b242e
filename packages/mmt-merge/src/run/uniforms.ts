/** Random numbers by place: the same whatever the pieces, threads and interruptions. */

import { philox, type MergeArray } from '@heddle/core';

/** Separates merging from what else draws with a seed. */
const purpose = 0x6d6d7400;

const words = new Uint32Array(4);

/**
 * Numbers in [0, 1) of 24 bits for elements from `start` on.
 *
 * @param stream of the tensor
 */
export function drawUniforms(
  out: MergeArray,
  start: number,
  length: number,
  seed: number,
  model: number,
  stream: number,
): void {
  for (let i = 0; i < length;) {
    const place = start + i;
    const block = Math.floor(place / 4);
    philox(block >>> 0, Math.floor(block / 0x1_0000_0000), stream >>> 0, 0, seed >>> 0, (purpose ^ model) >>> 0, words);
    for (let j = place % 4; j < 4 && i < length; j++, i++) out[i] = (words[j]! >>> 8) / 0x100_0000;
  }
}
