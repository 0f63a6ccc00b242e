/** Which token each token is predicted after. */

import type { Segment } from './segments.js';

/**
 * The token before in the same segment; for the first of a segment the last token of its last parent that has any, after
 * which it was sampled where a path branched. -1 for tokens that follow nothing.
 */
export function predecessorsOf(segments: readonly Segment[]): Int32Array {
  const before = new Int32Array(segments.at(-1)?.end ?? 0);
  /** The last token of a segment, or of what it comes from where it has none. */
  const lasts: number[] = [];
  for (const { start, end, parents } of segments) {
    const from = parents.map(parent => lasts[parent]!).findLast(last => last >= 0) ?? -1;
    for (let i = start; i < end; i++) before[i] = i === start ? from : i - 1;
    lasts.push(end > start ? end - 1 : from);
  }
  return before;
}
