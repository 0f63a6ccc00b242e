/** Finds blocks and their paths among token ids. */

import type { TagIds } from '../grammar/tags.js';

export interface PathSpan {
  /** Of `<Path>`. */
  readonly start: number;
  /** After `</Path>`, or the number of tokens. */
  readonly end: number;
  readonly closed: boolean;
}

export interface BlockSpan {
  /** Of `<Parallel>`. */
  readonly open: number;
  readonly paths: readonly PathSpan[];
  /** Of `</Parallel>`; null where the block never closes. */
  readonly close: number | null;
}

/**
 * Blocks in order. A path reaches to the next `</Path>`, whatever other tags stand inside; `<Path>` and `</Parallel>`
 * outside a block mean nothing; `<Parallel>` in a block but outside its paths leaves that block and opens another.
 *
 * @param from where to begin: tags before it, in a prompt, are text
 */
export function scanBlocks(ids: ArrayLike<number>, tags: TagIds, from = 0): readonly BlockSpan[] {
  const blocks: BlockSpan[] = [];
  let open: { readonly open: number; readonly paths: PathSpan[] } | null = null;
  for (let i = from; i < ids.length; i++) {
    const id = ids[i];
    if (id === tags.parallel) {
      if (open) blocks.push({ ...open, close: null });
      open = { open: i, paths: [] };
    } else if (open && id === tags.path) {
      const start = i;
      while (i < ids.length && ids[i] !== tags.endPath) i++;
      open.paths.push({ start, end: Math.min(i + 1, ids.length), closed: i < ids.length });
    } else if (open && id === tags.endParallel) {
      blocks.push({ ...open, close: i });
      open = null;
    }
  }
  return open ? [...blocks, { ...open, close: null }] : blocks;
}
