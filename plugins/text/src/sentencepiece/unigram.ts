/** Cutting text into the likeliest pieces (Kudo 2018), as SentencePiece's own search does, ties included. */

import type { ByteTrie } from './byte-trie.js';
import { widthOf } from './normalize.js';
import type { Piece } from './parts.js';

/** What a character without a piece costs, below the rarest piece. */
const unknownPenalty = 10;

/** @returns a function that writes pieces' ids from `ends` backwards; -1 stands for one unknown character */
export type Cut = (bytes: Uint8Array, emit: (id: number, from: number, to: number) => void) => void;

/**
 * @param trie pieces that text may be cut into, by id
 */
export function unigramCut(pieces: readonly Piece[], trie: ByteTrie): Cut {
  const normal = pieces.filter(({ kind }) => kind === 'normal').map(({ score }) => Math.fround(score));
  const lowest = normal.reduce((least, score) => Math.min(least, score), Infinity);
  const highest = normal.reduce((most, score) => Math.max(most, score), -Infinity);
  const unknownScore = Math.fround((normal.length === 0 ? 0 : lowest) - unknownPenalty);
  const bonus = normal.length === 0 ? 0 : highest;
  const scores = Float32Array.from(pieces, ({ score }) => score);
  const isUser = Uint8Array.from(pieces, ({ kind }) => (kind === 'user' ? 1 : 0));

  let best = new Float32Array(256);
  let start = new Int32Array(256);
  let ids = new Int32Array(256);

  return (bytes, emit) => {
    const size = bytes.length;
    if (size >= start.length) {
      best = new Float32Array(size * 2);
      start = new Int32Array(size * 2);
      ids = new Int32Array(size * 2);
    }
    start.fill(-1, 0, size + 1);
    best[0] = 0;

    // Sums are compared before they are rounded to f32 and kept after, as the original does: ties fall the same way.
    const reach = (end: number, from: number, score: number, id: number): void => {
      const total = best[from]! + score;
      if (start[end]! >= 0 && total <= best[end]!) return;
      best[end] = total;
      start[end] = from;
      ids[end] = id;
    };

    for (let from = 0; from < size;) {
      const width = Math.min(widthOf(bytes[from]!), size - from);
      let single = false;
      for (let at = from, node = 0; at < size;) {
        node = trie.step(node, bytes[at]!);
        if (node < 0) break;
        at++;
        const id = trie.value(node);
        if (id < 0) continue;
        // What users defined is taken wherever it fits.
        reach(at, from, isUser[id] === 1 ? (at - from) * bonus - 0.1 : scores[id]!, id);
        if (at - from === width) single = true;
      }
      if (!single) reach(from + width, from, unknownScore, -1);
      from += width;
    }

    const ends: number[] = [];
    for (let end = size; end > 0; end = start[end]!) ends.push(end);
    for (let i = ends.length - 1; i >= 0; i--) emit(ids[ends[i]!]!, start[ends[i]!]!, ends[i]!);
  };
}
