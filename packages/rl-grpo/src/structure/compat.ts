/**
 * Masks and positions as the code of Parallel-R1 has them, known bugs included: for checkpoints that were trained so, and
 * to compare with it. Its two sides differ; `segmentsOf` is what this package uses itself.
 */

import { fail } from '@heddle/core';
import type { TagIds } from '../grammar/tags.js';
import { scanBlocks } from './scan.js';

/** Half-open. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Hides tokens of one range from the other, both ways. */
function part(mask: Uint8Array, length: number, rows: Range, columns: Range): void {
  for (let i = rows.start; i < Math.min(rows.end, length); i++)
    mask.fill(0, i * length + columns.start, i * length + Math.min(columns.end, length));
}

const causal = (length: number): Uint8Array =>
  Uint8Array.from({ length: length * length }, (_, at) => (at % length <= Math.floor(at / length) ? 1 : 0));

/**
 * The mask of its SFT data: causal, but that paths of a block that closes do not see each other. Tokens between paths
 * see, and are seen by, every later token.
 *
 * @returns [S, S], 1 where query row may see key column
 */
export function sftMask(ids: ArrayLike<number>, tags: TagIds): Uint8Array {
  const mask = causal(ids.length);
  for (const { paths, close } of scanBlocks(ids, tags)) {
    if (close === null) continue;
    for (const a of paths) for (const b of paths) if (a !== b) part(mask, ids.length, a, b);
  }
  return mask;
}

export interface SftItem {
  /** [S], padded on the right. */
  readonly ids: Int32Array;
  /** [S, S], nothing from or to padding. */
  readonly mask: Uint8Array;
  readonly positions: Int32Array;
  /** [S], 1 where the next token is one of the answer's. */
  readonly lossMask: Uint8Array;
}

/**
 * Positions of its SFT data. Tokens between paths, and all after the last path of a block that never closes, stand at 0;
 * so does whatever equals `pad`, a final end of text among it where the two ids are one.
 *
 * @throws E_STRUCTURE for a path that never closes, where the reference fails too
 */
export function sftPositions(ids: ArrayLike<number>, tags: TagIds, pad: number): Int32Array {
  const positions = new Int32Array(ids.length);
  const kept = Array.from(ids, (_, i) => i).filter(i => ids[i] !== pad);
  let next = 0;
  let i = 0;
  while (i < kept.length) {
    positions[kept[i]!] = next++;
    if (ids[kept[i++]!] !== tags.parallel) continue;
    let longest = 0;
    while (i < kept.length && ids[kept[i]!] !== tags.endParallel) {
      if (ids[kept[i]!] !== tags.path) {
        i++;
        continue;
      }
      let length = 0;
      for (let last: number | undefined; last !== tags.endPath; length++, i++) {
        if (i >= kept.length)
          fail('E_STRUCTURE', `sftPositions: expected </Path> before the end of ${ids.length} tokens, received none.`, {
            length: ids.length,
          });
        last = ids[kept[i]!];
        positions[kept[i]!] = next + length;
      }
      longest = Math.max(longest, length);
    }
    next += longest;
  }
  return positions;
}

/**
 * One item of its SFT data: prompt and answer, structure read from both together, as there.
 *
 * @throws E_LENGTH when they are longer than `length`
 * @throws E_STRUCTURE for a path that never closes
 */
export function sftItem(
  prompt: readonly number[],
  answer: readonly number[],
  { length, pad, tags }: { readonly length: number; readonly pad: number; readonly tags: TagIds },
): SftItem {
  const used = prompt.length + answer.length;
  if (used > length)
    fail(
      'E_LENGTH',
      `sftItem: expected at most ${length} tokens, received ${used}. Raise the length or leave it out.`,
      {
        length,
        used,
      },
    );
  const ids = new Int32Array(length).fill(pad);
  ids.set(prompt);
  ids.set(answer, prompt.length);
  const mask = sftMask(ids, tags);
  part(mask, length, { start: used, end: length }, { start: 0, end: length });
  part(mask, length, { start: 0, end: length }, { start: used, end: length });
  return {
    ids,
    mask,
    positions: sftPositions(ids, tags, pad),
    lossMask: Uint8Array.from(ids, (_, t) => (t >= prompt.length - 1 && t < used - 1 ? 1 : 0)),
  };
}

/**
 * Positions that its rollout gives a block whose paths begin at `first`. Right for two paths: from the third on, all
 * that follows is moved once for the longest path as though the second were the last.
 *
 * @param paths of the block, counted from its first path's start
 * @param length tokens from there on, the join included
 * @throws E_STRUCTURE for a single path, where the reference fails too
 */
export function rolloutPositions(paths: readonly Range[], length: number, first: number): readonly number[] {
  if (paths.length < 2)
    fail('E_STRUCTURE', `rolloutPositions: expected at least 2 paths, received ${paths.length}.`, {
      paths: paths.length,
    });
  const positions = Array.from({ length }, (_, i) => first + i);
  for (const { start, end } of paths) for (let i = start; i < end; i++) positions[i] = first + i - start;
  const join = paths[1]!.end;
  const longest = Math.max(...paths.map(({ start, end }) => end - start));
  const shift = first + longest - (positions[join] ?? 0);
  for (let i = join; i < length; i++) positions[i]! += shift;
  return positions;
}

/** Where two paths must not see each other in a padded row of tokens: `[leftPad, start i, end i, start j, end j]`. */
export type HiddenPair = readonly [number, number, number, number, number];

/** Pairs of paths in both orders, those left out whose later one starts at or after `length`. */
export function hiddenPairs(paths: readonly Range[], leftPad: number, length: number): readonly HiddenPair[] {
  return paths.flatMap(a =>
    paths
      .filter(b => b !== a && (a.end > b.end ? b.end < length : b.start < length))
      .map((b): HiddenPair => [leftPad, a.start, a.end, b.start, b.end]),
  );
}

/**
 * The mask of its actor: causal, paths apart, and nothing from the tokens into the left padding.
 *
 * @returns [S, S], 1 where query row may see key column
 */
export function actorMask(pairs: readonly HiddenPair[], leftPad: number, length: number): Uint8Array {
  const mask = causal(length);
  for (const [, ...[a, b, c, d]] of pairs) part(mask, length, { start: a, end: b }, { start: c, end: d });
  part(mask, length, { start: leftPad, end: length }, { start: 0, end: leftPad });
  return mask;
}
