/** Structured sequences as tensors of static shape: what scoring, SFT and reinforcement learning read. */

import {
  f32,
  fail,
  i32,
  iota,
  type DecoderModel,
  type HostTensor,
  type Bound,
  type Params,
  type Tensor,
  type Types,
} from '@heddle/core';
import { predecessorsOf } from '../structure/predecessors.js';
import { checkSegments, maskOf, positionsOf, type Segment } from '../structure/segments.js';
import { tokenLogProbabilities } from '../loss/log-probabilities.js';

/** A sequence, its structure, and which of its tokens count. */
export interface StructuredRow {
  readonly ids: readonly number[];
  readonly segments: readonly Segment[];
  /** For each token 1 where it is scored, 0 where it is only read. */
  readonly scored: readonly number[];
}

export interface RowsShape {
  /** Rows. */
  readonly batch: number;
  /** Tokens of the longest sequence. */
  readonly length: number;
  /** Scored tokens of a sequence at most; default `length`. Logits of others are dropped before they are worked with. */
  readonly scored?: number;
}

const hidden = -1e9;

/** Names of the tensors of a batch. @shape see `rowTypes` */
export type RowTensors = Readonly<Record<'ids' | 'positions' | 'visible' | 'from' | 'tokens' | 'mask', HostTensor>>;

/**
 * - `ids`, `positions` i32[B, T]
 * - `visible` f32[B, T, T]: 0 where a token may look, -1e9 where not; what stands for no token sees itself
 * - `from` i32[B, R]: place of the token after which each scored token stands
 * - `tokens` i32[B, R], `mask` f32[B, R]: the scored tokens in their order, and 1 where there is one
 */
export function rowTypes({ batch: B, length: T, scored: R = T }: RowsShape): Types {
  return {
    ids: i32(B, T),
    positions: i32(B, T),
    visible: f32(B, T, T),
    from: i32(B, R),
    tokens: i32(B, R),
    mask: f32(B, R),
  };
}

/**
 * Lays out rows; missing ones are empty and count for nothing.
 *
 * @throws E_LENGTH for a row that does not fit, E_STRUCTURE for segments that do not cover it, or a scored first token
 */
export function layOutRows(rows: readonly (StructuredRow | null)[], shape: RowsShape): RowTensors {
  const { batch: B, length: T, scored: R = T } = shape;
  if (rows.length > B)
    fail('E_LENGTH', `rows: expected at most ${B}, received ${rows.length}. Lay them out in parts.`, { batch: B });
  const ids = new Int32Array(B * T);
  const positions = new Int32Array(B * T);
  const visible = new Float32Array(B * T * T).fill(hidden);
  const [from, tokens, mask] = [new Int32Array(B * R), new Int32Array(B * R), new Float32Array(B * R)];
  for (let b = 0; b < B; b++) {
    const row = rows[b] ?? null;
    const n = row?.ids.length ?? 0;
    for (let t = n; t < T; t++) visible[(b * T + t) * T + t] = 0;
    if (row === null) continue;
    checkSegments(row.segments, n);
    const before = predecessorsOf(row.segments);
    const places = scoredPlaces(row, before, b, T, R);
    ids.set(row.ids, b * T);
    positions.set(positionsOf(row.segments), b * T);
    const sees = maskOf(row.segments);
    for (let i = 0; i < n; i++) for (let j = 0; j <= i; j++) if (sees[i * n + j]) visible[(b * T + i) * T + j] = 0;
    for (const [r, place] of places.entries()) {
      from[b * R + r] = before[place]!;
      tokens[b * R + r] = row.ids[place]!;
      mask[b * R + r] = 1;
    }
  }
  const ints = (data: Int32Array, width: number): HostTensor => ({ dtype: 'i32', shape: [B, width], data });
  return {
    ids: ints(ids, T),
    positions: ints(positions, T),
    visible: { dtype: 'f32', shape: [B, T, T], data: visible },
    from: ints(from, R),
    tokens: ints(tokens, R),
    mask: { dtype: 'f32', shape: [B, R], data: mask },
  };
}

/** Places of the scored tokens of a row, checked. */
function scoredPlaces(
  { ids, scored }: StructuredRow,
  before: Int32Array,
  b: number,
  T: number,
  R: number,
): readonly number[] {
  if (ids.length > T)
    fail(
      'E_LENGTH',
      `row ${b}: expected at most ${T} tokens, received ${ids.length}. Cut the answer, or raise the length.`,
      {
        row: b,
        length: T,
        received: ids.length,
      },
    );
  const places = ids.flatMap((_, i) => (scored[i]! > 0 ? [i] : []));
  if (places.length > R)
    fail('E_LENGTH', `row ${b}: expected at most ${R} scored tokens, received ${places.length}. Raise \`scored\`.`, {
      row: b,
      scored: R,
      received: places.length,
    });
  const bare = places.find(place => before[place]! < 0);
  if (bare !== undefined)
    fail(
      'E_STRUCTURE',
      `row ${b}: expected scored tokens that follow another, received token ${bare}, which begins the text. Begin it with a prompt.`,
      { row: b, token: bare },
    );
  return places;
}

/**
 * Log-probabilities of the scored tokens and the entropy of what each was chosen from, as part of a graph: the model reads
 * each row once, with its structure.
 *
 * @shape all of `rowTypes` -> logp [B, R], entropy [B, R]
 */
export function scoreRows<P extends Params>(
  model: DecoderModel<P>,
  bound: Bound<P>,
  { ids, positions, visible, from, tokens }: Readonly<Record<string, Tensor>>,
  temperature = 1,
): { readonly logp: Tensor; readonly entropy: Tensor } {
  const logits = model.read(bound, { ids: ids!, positions: positions!, mask: visible! }); // [B, T, V]
  const [B, T, V] = logits.shape as readonly [number, number, number];
  const R = from!.shape[1]!;
  const rowStart = iota([B, R], 0).mul(T);
  const chosen = logits.reshape(B * T, V).gather(from!.add(rowStart)); // [B, R, V]
  return tokenLogProbabilities(chosen, tokens!, temperature);
}
