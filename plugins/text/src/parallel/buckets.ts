/**
 * Choosing a few lengths for many: pairs of like length go into one bucket, each bucket has one shape, and little of it is
 * padding.
 */

import { fail } from '@heddle/core';

/** Lengths of the rows of a bucket. */
export interface Bucket {
  readonly source: number;
  readonly target: number;
}

/**
 * The `count` buckets with the least padding, by dynamic programming over the longer side of each pair.
 *
 * @param lengths of source and target of each pair
 * @param multiple lengths of buckets are rounded up to this
 * @returns shortest first; fewer where fewer do as well
 */
export function chooseBuckets(lengths: readonly Bucket[], count: number, multiple = 1): readonly Bucket[] {
  if (lengths.length === 0) return [];
  const up = (length: number): number => Math.ceil(length / multiple) * multiple;
  // By longer side: how many pairs, and their longest source and target.
  const groups = new Map<number, { n: number; source: number; target: number }>();
  for (const { source, target } of lengths) {
    const key = up(Math.max(source, target));
    const group = groups.get(key) ?? { n: 0, source: 0, target: 0 };
    groups.set(key, {
      n: group.n + 1,
      source: Math.max(group.source, up(source)),
      target: Math.max(group.target, up(target)),
    });
  }
  const sorted = [...groups].sort(([a], [b]) => a - b).map(([, group]) => group);
  const size = sorted.length;

  // least[k][j]: cells of the first j groups in k + 1 buckets; from[k][j]: where the last of these begins.
  const least: Float64Array[] = [];
  const from: Int32Array[] = [];
  for (let k = 0; k < Math.min(count, size); k++) {
    least.push(new Float64Array(size + 1).fill(Infinity));
    from.push(new Int32Array(size + 1));
    least[k]![0] = 0;
    for (let j = 1; j <= size; j++) {
      let [n, source, target] = [0, 0, 0];
      for (let i = j - 1; i >= 0; i--) {
        const group = sorted[i]!;
        n += group.n;
        source = Math.max(source, group.source);
        target = Math.max(target, group.target);
        const before = i === 0 ? 0 : k === 0 ? Infinity : least[k - 1]![i]!;
        const cells = before + n * (source + target);
        if (cells < least[k]![j]!) {
          least[k]![j] = cells;
          from[k]![j] = i;
        }
      }
    }
  }
  const buckets: Bucket[] = [];
  for (let [k, j] = [least.length - 1, size]; j > 0; k--) {
    const i = from[k]![j]!;
    const inside = sorted.slice(i, j);
    buckets.push({
      source: Math.max(...inside.map(group => group.source)),
      target: Math.max(...inside.map(group => group.target)),
    });
    j = i;
  }
  return buckets.reverse();
}

/**
 * For each pair the bucket with the fewest cells that holds it.
 *
 * @throws E_OPTION for a pair that none holds
 */
export function fitBuckets(lengths: readonly Bucket[], buckets: readonly Bucket[]): Int32Array {
  const order = buckets
    .map((bucket, index) => ({ ...bucket, index }))
    .sort((a, b) => a.source + a.target - b.source - b.target);
  return Int32Array.from(lengths, ({ source, target }, at) => {
    const fit = order.find(bucket => source <= bucket.source && target <= bucket.target);
    return (
      fit?.index ??
      fail(
        'E_OPTION',
        `buckets: expected one that holds ${source} and ${target} tokens (pair ${at + 1}), received ${buckets.map(one => `${one.source} x ${one.target}`).join(', ') || 'none'}. Add a longer one, or lower longest.`,
        { source, target },
      )
    );
  });
}
