/** Batches of texts with structure for SFT, such as traces that open a block: generated without end, or gone through in epochs. */

import { fail, streamOf, uniforms, type Batches } from '@heddle/core';
import type { TagIds } from '../grammar/tags.js';
import { segmentsOf } from '../structure/segments.js';
import { layOutRows, type RowsShape, type StructuredRow } from './rows.js';

/**
 * A prompt and what should follow it, with the structure that its tags say. Tags of the prompt are text; only what follows
 * is scored.
 *
 * @param tags null for one line, whatever tags it holds
 * @throws E_PROMPT for a prompt without a token, after which nothing could be predicted
 */
export function traceRow(prompt: readonly number[], trace: readonly number[], tags: TagIds | null): StructuredRow {
  if (prompt.length === 0)
    fail('E_PROMPT', 'traceRow: expected a prompt of at least one token, received none. Begin it with a token such as <bos>.', {}); // prettier-ignore
  const ids = [...prompt, ...trace];
  return {
    ids,
    segments: tags ? segmentsOf(ids, tags, prompt.length) : [{ start: 0, end: ids.length, parents: [] }],
    scored: ids.map((_, i) => (i < prompt.length ? 0 : 1)),
  };
}

export interface TraceDataOptions {
  /** Example `index`, the same for ever. */
  readonly row: (index: number) => StructuredRow;
  /** Examples there are; they are gone through again and again, each time in another order. Default: without end. */
  readonly count?: number;
  readonly shape: RowsShape;
  /** Of the order. Default 0. */
  readonly seed?: number;
}

/** @throws E_CONFIG for a count below 1; while training E_LENGTH for a row that does not fit, by its index */
export function traceData({ row, count, shape, seed = 0 }: TraceDataOptions): Batches {
  if (count !== undefined && !(Number.isSafeInteger(count) && count >= 1))
    fail('E_CONFIG', `traceData: count: expected a whole number of examples from 1 up, received ${count}.`, { count });
  let next = 0;
  let closed = false;
  let known: { readonly epoch: number; readonly order: readonly number[] } | null = null; // not state, only a saving
  const indexOf = (at: number): number => {
    if (count === undefined) return at;
    const epoch = Math.floor(at / count);
    if (known?.epoch !== epoch) known = { epoch, order: shuffled(count, seed, epoch) };
    return known.order[at % count]!;
  };
  return {
    async next() {
      if (closed) fail('E_CLOSED', 'traceData: expected an open source, received a call after close.', {});
      const rows = Array.from({ length: shape.batch }, (_, b) => {
        const index = indexOf(next + b);
        const found = row(index);
        if (found.ids.length > shape.length)
          fail(
            'E_LENGTH',
            `example ${index}: expected at most ${shape.length} tokens, received ${found.ids.length}. Leave it out, or raise the length.`,
            { index, length: shape.length, received: found.ids.length },
          );
        return found;
      });
      next += shape.batch;
      const tokens = rows.reduce((sum, { scored }) => sum + scored.filter(own => own > 0).length, 0);
      return { batch: { ...layOutRows(rows, shape) }, tokens, cursor: { next, seed, count: count ?? null } };
    },
    async seek(cursor) {
      const found = cursor as { readonly next: number; readonly seed: number; readonly count: number | null };
      if (!Number.isSafeInteger(found.next) || found.next < 0 || found.seed !== seed || found.count !== (count ?? null))
        fail(
          'E_CURSOR',
          `traceData: expected a cursor of seed ${seed} and ${count ?? 'endless'} examples, received another. Resume with what the run began with.`,
          { seed, count: count ?? null },
        );
      ({ next } = found);
    },
    async close() {
      closed = true;
    },
  };
}

/** Fisher and Yates. */
function shuffled(count: number, seed: number, epoch: number): readonly number[] {
  const order = Array.from({ length: count }, (_, i) => i);
  const draw = uniforms(seed, streamOf(`traces/${epoch}`));
  for (let i = count - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
