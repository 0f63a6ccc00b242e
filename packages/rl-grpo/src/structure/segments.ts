/**
 * What may see what, and where it stands: a sequence of tokens as a graph of segments.
 *
 * The one account of structure. SFT makes segments of tags found in a text, rollouts make them as they go, and masks and
 * positions of training come from them alone.
 */

import { fail } from '@heddle/core';
import type { TagIds } from '../grammar/tags.js';
import { scanBlocks } from './scan.js';

/**
 * Tokens `start` up to, not with, `end`. They see each other causally, and all tokens of their ancestors. The first of
 * them stands one after the furthest token of its parents.
 */
export interface Segment {
  readonly start: number;
  readonly end: number;
  /** Indices of earlier segments. */
  readonly parents: readonly number[];
}

/**
 * Segments of a sequence with blocks. A block's paths come from what stands before it and do not see each other; what
 * follows the last one comes from all of them, closing tag or not. Tokens between paths follow what stands before the
 * block, and no path sees them.
 *
 * @param from where the answer begins: tags before it are text
 */
export function segmentsOf(ids: ArrayLike<number>, tags: TagIds, from = 0): readonly Segment[] {
  const segments: Segment[] = [];
  const add = (start: number, end: number, parents: readonly number[]): number =>
    segments.push({ start, end, parents }) - 1;
  let start = 0;
  let parents: readonly number[] = [];
  for (const { open, paths } of scanBlocks(ids, tags, from)) {
    if (paths.length === 0) continue;
    const before = add(start, open + 1, parents);
    let between = before;
    const tips: number[] = [];
    start = open + 1;
    for (const path of paths) {
      if (path.start > start) between = add(start, path.start, [between]);
      tips.push(add(path.start, path.end, [before]));
      start = path.end;
    }
    parents = between === before ? tips : [...tips, between];
  }
  if (start < ids.length) add(start, ids.length, parents);
  return segments;
}

/**
 * Checks that segments cover `length` tokens in order, each with earlier parents.
 *
 * @throws E_STRUCTURE naming the segment
 */
export function checkSegments(segments: readonly Segment[], length: number): void {
  let at = 0;
  for (const [i, { start, end, parents }] of segments.entries()) {
    if (start !== at || end < start || parents.some(parent => !(parent >= 0 && parent < i)))
      fail(
        'E_STRUCTURE',
        `segments[${i}]: expected tokens from ${at} on with parents below ${i}, received ${start}..${end} with [${parents.join(', ')}].`,
        { segment: i, start, end, parents },
      );
    at = end;
  }
  if (at !== length)
    fail('E_STRUCTURE', `segments: expected ${length} tokens, received ${at}. They must cover the sequence.`, {
      at,
      length,
    });
}

/** Position of every token: paths of a block start alike, and what follows stands after the longest. */
export function positionsOf(segments: readonly Segment[]): Int32Array {
  const positions = new Int32Array(segments.at(-1)?.end ?? 0);
  const next: number[] = [];
  for (const { start, end, parents } of segments) {
    const first = Math.max(0, ...parents.map(parent => next[parent]!));
    for (let i = start; i < end; i++) positions[i] = first + i - start;
    next.push(first + end - start);
  }
  return positions;
}

/** For each segment, whether it sees each earlier one: its parents and what they see. */
function ancestry(segments: readonly Segment[]): readonly (readonly boolean[])[] {
  const rows: boolean[][] = [];
  for (const { parents } of segments) {
    const row = segments.map(() => false);
    for (const parent of parents) {
      row[parent] = true;
      rows[parent]!.forEach((sees, i) => (row[i] ||= sees));
    }
    rows.push(row);
  }
  return rows;
}

/**
 * Which key each query may attend to.
 *
 * @returns [S, S], 1 where query row may see key column
 */
export function maskOf(segments: readonly Segment[]): Uint8Array {
  const length = segments.at(-1)?.end ?? 0;
  const mask = new Uint8Array(length * length);
  const sees = ancestry(segments);
  for (const [s, { start, end }] of segments.entries()) {
    for (let i = start; i < end; i++) {
      for (let a = 0; a < s; a++)
        if (sees[s]![a]) mask.fill(1, i * length + segments[a]!.start, i * length + segments[a]!.end);
      mask.fill(1, i * length + start, i * length + i + 1);
    }
  }
  return mask;
}
