/** Cutting text by merging pairs, best score first, as SentencePiece's BPE does: on characters, over word boundaries too. */

import { heap } from '../heap.js';
import { wordCache } from '../word-cache.js';
import type { ByteTrie } from './byte-trie.js';
import { longest, widthOf } from './normalize.js';
import { spaceMark, type Piece } from './parts.js';
import type { Cut } from './unigram.js';

/**
 * @param user texts that stay whole; null for none
 */
export function bpeCut(pieces: readonly Piece[], user: ByteTrie | null): Cut {
  const known = new Map<string, number>();
  for (const [id, { text, kind }] of pieces.entries())
    if (kind === 'normal' || kind === 'user' || kind === 'unused') known.set(text, id);
  const scores = Float32Array.from(pieces, ({ score }) => score);
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

  const cut: Cut = (bytes, emit) => {
    // Symbols as a linked list; a symbol that was merged into its left neighbour has no text.
    const texts: string[] = [];
    const from: number[] = [];
    const frozen: boolean[] = [];
    for (let at = 0; at < bytes.length;) {
      const own = user === null ? 0 : longest(user, bytes, at);
      const width = own > 0 ? own : Math.min(widthOf(bytes[at]!), bytes.length - at);
      texts.push(decoder.decode(bytes.subarray(at, at + width)));
      from.push(at);
      frozen.push(own > 0);
      at += width;
    }
    const count = texts.length;
    const next = Int32Array.from({ length: count }, (_, i) => (i + 1 < count ? i + 1 : -1));
    const previous = Int32Array.from({ length: count }, (_, i) => i - 1);
    const undo = new Map<string, readonly [string, string]>();

    const queue = heap<{ left: number; right: number; score: number; text: string }>(
      (a, b) => a.score > b.score || (a.score === b.score && a.left < b.left),
    );
    const offer = (left: number, right: number): void => {
      if (left < 0 || right < 0 || frozen[left]! || frozen[right]!) return;
      const text = texts[left]! + texts[right]!;
      const id = known.get(text);
      if (id === undefined) return;
      queue.push({ left, right, score: scores[id]!, text });
      if (pieces[id]!.kind === 'unused') undo.set(text, [texts[left]!, texts[right]!]);
    };
    for (let i = 1; i < count; i++) offer(i - 1, i);
    for (let top = queue.pop(); top !== undefined; top = queue.pop()) {
      const { left, right, text } = top;
      // Either has changed since, or is gone.
      if (texts[left] === '' || texts[right] === '' || texts[left]!.length + texts[right]!.length !== text.length)
        continue;
      texts[left] = text;
      texts[right] = '';
      next[left] = next[right]!;
      if (next[right]! >= 0) previous[next[right]!] = left;
      offer(previous[left]!, left);
      offer(left, next[left]!);
    }

    const write = (text: string, start: number): number => {
      const id = known.get(text);
      const parts = id !== undefined && pieces[id]!.kind === 'unused' ? undo.get(text) : undefined;
      if (parts !== undefined) return write(parts[1], write(parts[0], start));
      const end = start + encoder.encode(text).length;
      emit(id ?? -1, start, end);
      return end;
    };
    for (let i = 0; i >= 0 && i < count; i = next[i]!) write(texts[i]!, from[i]!);
  };
  const across = new RegExp(`[^${spaceMark}]${spaceMark}`);
  const wordsStandAlone =
    user === null && pieces.every(({ text, kind }) => kind !== 'unused' && (kind !== 'normal' || !across.test(text)));
  return wordsStandAlone ? byWord(cut, decoder) : cut;
}

/** Where no piece goes on beyond a word, merges in one word do not touch another: what a word became is remembered. */
function byWord(cut: Cut, decoder: TextDecoder): Cut {
  const cache = wordCache<Int32Array>();
  const isMark = (bytes: Uint8Array, at: number): boolean =>
    bytes[at] === mark[0] && bytes[at + 1] === mark[1] && bytes[at + 2] === mark[2];
  return (bytes, emit) => {
    for (let from = 0; from < bytes.length;) {
      let end = from;
      while (isMark(bytes, end)) end += mark.length;
      do end++;
      while (end < bytes.length && !isMark(bytes, end));
      const own = bytes.subarray(from, Math.min(end, bytes.length));
      const word = decoder.decode(own);
      let pieces = cache.get(word);
      if (pieces === undefined) {
        const found: number[] = [];
        cut(own, (id, begin, stop) => found.push(id, begin, stop));
        pieces = Int32Array.from(found);
        cache.set(word, pieces);
      }
      for (let i = 0; i < pieces.length; i += 3) emit(pieces[i]!, from + pieces[i + 1]!, from + pieces[i + 2]!);
      from += own.length;
    }
  };
}

const encoder = new TextEncoder();
const mark = encoder.encode(spaceMark);
