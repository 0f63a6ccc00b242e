/**
 * SentencePiece's normaliser, byte for byte: replacements by the model's own table, then spaces.
 *
 * The table is a double-array trie (Darts) over UTF-8 followed by the texts that it points into; at each place the
 * longest match is replaced. Its numbers come from a file: each is looked at before it is followed.
 */

import type { ByteTrie } from './byte-trie.js';
import type { NormalizerParts } from './parts.js';

export type Normalize = (text: string) => Uint8Array;

/**
 * @param user finds texts that pass unchanged; null for none
 * @returns a function from text to the UTF-8 of what pieces are cut from
 */
export function normalizer(
  { charsMap, dummyPrefix, removeExtraSpaces, escapeSpaces, spaceAsSuffix }: NormalizerParts,
  user: ByteTrie | null,
): Normalize {
  const replace = replacements(charsMap);
  const mark = escapeSpaces ? escaped : plain;

  return text => {
    const bytes = encoder.encode(text);
    if (bytes.length === 0) return bytes;
    const out = byteBuffer(bytes.length * 2 + 3);
    const pending: Match = { length: 0, text: bytes, from: 0, to: 0 };

    /** The next piece of input and what it becomes. */
    const next = (at: number): void => {
      if (user !== null) {
        const length = longest(user, bytes, at);
        if (length > 0) return keep(pending, bytes, at, length);
      }
      if (!replace(bytes, at, pending)) keep(pending, bytes, at, widthOf(bytes[at]!));
    };

    let at = 0;
    if (removeExtraSpaces) {
      for (; at < bytes.length; at += pending.length) {
        next(at);
        if (pending.to - pending.from !== 1 || pending.text[pending.from] !== SPACE) break;
      }
      if (at >= bytes.length) return bytes.subarray(0, 0);
    }
    if (dummyPrefix && !spaceAsSuffix) out.append(mark, 0, mark.length);

    let afterSpace = removeExtraSpaces;
    for (; at < bytes.length; at += pending.length) {
      next(at);
      let { from } = pending;
      const { text: source, to } = pending;
      while (afterSpace && from < to && source[from] === SPACE) from++;
      for (let i = from; i < to; i++) {
        if (source[i] === SPACE) out.append(mark, 0, mark.length);
        else out.push(source[i]!);
      }
      if (from < to) afterSpace = removeExtraSpaces && source[to - 1] === SPACE;
    }
    if (removeExtraSpaces) out.trim(mark);
    if (dummyPrefix && spaceAsSuffix) out.append(mark, 0, mark.length);
    return out.take();
  };
}

interface Match {
  /** Bytes of input used. */
  length: number;
  text: Uint8Array;
  from: number;
  to: number;
}

function keep(match: Match, bytes: Uint8Array, at: number, length: number): void {
  match.length = length;
  match.text = bytes;
  match.from = at;
  match.to = Math.min(bytes.length, at + length);
}

/** Length of the longest string that begins here; 0 for none. */
export function longest(trie: ByteTrie, bytes: Uint8Array, from: number): number {
  let [node, found] = [0, 0];
  for (let at = from; at < bytes.length; at++) {
    node = trie.step(node, bytes[at]!);
    if (node < 0) break;
    if (trie.value(node) >= 0) found = at + 1 - from;
  }
  return found;
}

/** Bytes of the character that begins with this one, in text that `TextEncoder` wrote. */
export const widthOf = (lead: number): number => (lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4);

/** Fills `match` with the replacement of the longest match; false where the table has none. */
function replacements(charsMap: Uint8Array): (bytes: Uint8Array, from: number, match: Match) => boolean {
  if (charsMap.length < 8) return () => false;
  const view = new DataView(charsMap.buffer, charsMap.byteOffset, charsMap.byteLength);
  const size = Math.min(view.getUint32(0, true), charsMap.length - 4);
  const units = Uint32Array.from({ length: size >> 2 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const texts = charsMap.subarray(4 + size);
  const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

  return (bytes, from, match) => {
    let node = offset(units[0] ?? 0);
    let [length, place] = [0, -1];
    for (let at = from; at < bytes.length; at++) {
      const byte = bytes[at]!;
      node ^= byte;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== byte) break;
      node ^= offset(unit);
      if (((unit >>> 8) & 1) === 1) {
        place = (units[node] ?? 0) & 0x7fffffff;
        length = at + 1 - from;
      }
    }
    if (place < 0 || place > texts.length) return false;
    const end = texts.indexOf(0, place);
    match.length = length;
    match.text = texts;
    match.from = place;
    match.to = end < 0 ? texts.length : end;
    return true;
  };
}

function byteBuffer(expected: number) {
  let cells = new Uint8Array(expected);
  let used = 0;
  const room = (more: number): void => {
    if (used + more <= cells.length) return;
    const grown = new Uint8Array((used + more) * 2);
    grown.set(cells.subarray(0, used));
    cells = grown;
  };
  return {
    push(byte: number): void {
      room(1);
      cells[used++] = byte;
    },
    append(bytes: Uint8Array, from: number, to: number): void {
      room(to - from);
      for (let at = from; at < to; at++) cells[used++] = bytes[at]!;
    },
    /** Takes every copy of `end` off the end. */
    trim(end: Uint8Array): void {
      while (used >= end.length && end.every((byte, i) => cells[used - end.length + i] === byte)) used -= end.length;
    },
    take: (): Uint8Array => cells.subarray(0, used),
  };
}

const encoder = new TextEncoder();
const SPACE = 0x20;
const plain = Uint8Array.of(SPACE);
const escaped = Uint8Array.of(0xe2, 0x96, 0x81);
