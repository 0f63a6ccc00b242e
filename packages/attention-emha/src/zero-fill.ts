/** Which cells of maps may not be seen, told from the mask that is added to scores. */

import type { Tensor } from '@heddle/core';

/** Scores are never this low on their own; masks are far lower, in half precision too. */
const hiddenBelow = -1e4;

/**
 * Zeros where a token may not look, so that a kernel wider than one cell reads there what it reads beyond the end.
 *
 * @param mask 0 where a token may look, a large negative number where not; null leaves the maps alone
 * @shape maps [B, C, T, S], mask [B | 1, 1, T | 1, S] -> [B, C, T, S]
 */
export const zeroFill = (maps: Tensor, mask: Tensor | null): Tensor =>
  mask ? maps.mul(mask.stopGradient().greater(hiddenBelow).cast('f32')) : maps;
