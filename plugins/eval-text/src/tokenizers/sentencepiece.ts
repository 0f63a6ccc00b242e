/**
 * SentencePiece models of kind unigram (Kudo 2018), as the FLORES tokenisers of spBLEU are: read from their own file,
 * normalised by the table in it, cut by Viterbi search.
 */

import { fail } from '@heddle/core';
import type { Tokenizer } from './tokenizer.js';

/** Kinds of pieces, as numbered in the file. */
const UNKNOWN = 2;
const CONTROL = 3;
const USER = 4;
const UNUSED = 5;
const BYTE = 6;

interface Piece {
  readonly text: string;
  readonly score: number;
  readonly kind: number;
}

interface Model {
  readonly pieces: readonly Piece[];
  readonly byteFallback: boolean;
  readonly charsMap: Uint8Array;
  readonly dummyPrefix: boolean;
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
}

const space = '\u2581'; // stands for a space

/** What an unknown character costs below the rarest piece. */
const unknownPenalty = 10;

/**
 * @param bytes of a `.model` file
 * @param signature what BLEU's signature says: `flores101`, `flores200`
 * @throws E_TOKENIZER for a file that is none, or a model of another kind
 */
export function sentencePiece(bytes: Uint8Array, signature: string): Tokenizer {
  const model = readModel(bytes, signature);
  const normalize = normalizerOf(model);
  const cut = viterbi(model);
  return { signature, tokenize: line => cut(normalize(line)).join(' ') };
}

/** One field of a protocol buffer: its number, and its bytes or its number. */
type Field = readonly [number: number, value: Uint8Array | number];

function* fieldsOf(bytes: Uint8Array, refuse: () => never): Iterable<Field> {
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++] ?? refuse();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return refuse();
  };
  while (at < bytes.length) {
    const tag = varint();
    const kind = tag % 8;
    const number = Math.floor(tag / 8);
    if (kind === 0) yield [number, varint()];
    else {
      const length = kind === 2 ? varint() : kind === 5 ? 4 : kind === 1 ? 8 : refuse();
      if (at + length > bytes.length) refuse();
      yield [number, bytes.subarray(at, at + length)];
      at += length;
    }
  }
}

function readModel(bytes: Uint8Array, name: string): Model {
  const refuse = (): never =>
    fail(
      'E_TOKENIZER',
      `${name}: expected a SentencePiece model, received bytes that are none. Download the file again.`,
      { name },
    );
  const utf8 = new TextDecoder();
  const pieces: Piece[] = [];
  let [kind, byteFallback] = [1, false];
  let charsMap: Uint8Array = new Uint8Array(0);
  let [dummyPrefix, removeExtraSpaces, escapeSpaces] = [true, true, true];
  for (const [number, value] of fieldsOf(bytes, refuse)) {
    if (typeof value === 'number') continue;
    if (number === 1) {
      let piece: Piece = { text: '', score: 0, kind: 1 };
      for (const [field, own] of fieldsOf(value, refuse)) {
        if (field === 1 && typeof own !== 'number') piece = { ...piece, text: utf8.decode(own) };
        if (field === 2 && typeof own !== 'number')
          piece = { ...piece, score: new DataView(own.buffer, own.byteOffset).getFloat32(0, true) };
        if (field === 3 && typeof own === 'number') piece = { ...piece, kind: own };
      }
      pieces.push(piece);
    } else if (number === 2) {
      for (const [field, own] of fieldsOf(value, refuse)) {
        if (field === 3 && typeof own === 'number') kind = own;
        if (field === 35) byteFallback = own === 1;
      }
    } else if (number === 3) {
      for (const [field, own] of fieldsOf(value, refuse)) {
        if (field === 2 && typeof own !== 'number') charsMap = own;
        if (field === 3) dummyPrefix = own === 1;
        if (field === 4) removeExtraSpaces = own === 1;
        if (field === 5) escapeSpaces = own === 1;
      }
    }
  }
  if (pieces.length === 0) refuse();
  if (kind !== 1)
    fail(
      'E_TOKENIZER',
      `${name}: expected a SentencePiece model of kind unigram, received kind ${kind}. The FLORES models are unigram: name one of them.`,
      { name, kind },
    );
  return { pieces, byteFallback, charsMap, dummyPrefix, removeExtraSpaces, escapeSpaces };
}

/**
 * The model's table of replacements is a double-array trie (Darts) over UTF-8 and a list of strings; the longest match
 * wins.
 */
function normalizerOf({
  charsMap,
  pieces,
  dummyPrefix,
  removeExtraSpaces,
  escapeSpaces,
}: Model): (text: string) => string {
  const view = new DataView(charsMap.buffer, charsMap.byteOffset, charsMap.byteLength);
  const size = charsMap.length >= 4 ? Math.min(view.getUint32(0, true), charsMap.length - 4) : 0;
  const units = Uint32Array.from({ length: size >> 2 }, (_, i) => view.getUint32(4 + 4 * i, true));
  const strings = charsMap.subarray(4 + size);
  const [utf8, encoder] = [new TextDecoder(), new TextEncoder()];
  const own = new Set(pieces.filter(({ kind }) => kind === USER).map(({ text }) => text));
  const longestOwn = Math.max(0, ...[...own].map(text => text.length));

  const offset = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
  const replacement = (bytes: Uint8Array, from: number): readonly [length: number, text: string] | null => {
    if (units.length === 0) return null;
    let node = offset(units[0]!);
    let [length, at] = [0, -1];
    for (let i = from; i < bytes.length; i++) {
      node ^= bytes[i]!;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) >>> 0 !== bytes[i]!) break;
      node ^= offset(unit);
      if (((unit >>> 8) & 1) === 1) {
        at = (units[node] ?? 0) & 0x7fffffff;
        length = i + 1 - from;
      }
    }
    if (at < 0) return null;
    const end = strings.indexOf(0, at);
    return [length, utf8.decode(strings.subarray(at, end < 0 ? strings.length : end))];
  };

  return text => {
    const bytes = encoder.encode(text);
    const parts: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const kept = longestOwn > 0 ? ownAt(bytes, at) : null;
      const found = kept ?? replacement(bytes, at);
      if (found !== null) {
        parts.push(found[1]);
        at += found[0];
        continue;
      }
      const lead = bytes[at]!;
      const width = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
      parts.push(utf8.decode(bytes.subarray(at, at + width)));
      at += width;
    }
    let shown = '';
    let afterSpace = removeExtraSpaces;
    for (const part of parts) {
      const rest = afterSpace ? part.replace(/^ +/, '') : part;
      if (rest === '') continue;
      shown += rest;
      afterSpace = removeExtraSpaces && rest.endsWith(' ');
    }
    if (removeExtraSpaces) shown = shown.replace(/ +$/, '');
    if (shown === '') return '';
    const whole = `${dummyPrefix ? ' ' : ''}${shown}`;
    return escapeSpaces ? whole.replaceAll(' ', space) : whole;
  };

  function ownAt(bytes: Uint8Array, at: number): readonly [number, string] | null {
    for (let length = Math.min(bytes.length - at, 4 * longestOwn); length > 0; length--) {
      const text = utf8.decode(bytes.subarray(at, at + length));
      if (own.has(text)) return [length, text];
    }
    return null;
  }
}

/** The likeliest pieces. Sums are float32, as in the original, so that ties fall the same way. */
function viterbi({ pieces, byteFallback }: Model): (text: string) => readonly string[] {
  const known = new Map<string, Piece>();
  let [longest, lowest, highest] = [1, Infinity, -Infinity];
  for (const piece of pieces) {
    if (piece.kind === 1) {
      lowest = Math.min(lowest, piece.score);
      highest = Math.max(highest, piece.score);
    }
    if ([UNKNOWN, CONTROL, BYTE, UNUSED].includes(piece.kind)) continue;
    known.set(piece.text, piece);
    longest = Math.max(longest, [...piece.text].length);
  }
  const unknownScore = Math.fround(lowest - unknownPenalty);
  const encoder = new TextEncoder();

  return text => {
    const characters = [...text];
    const { length } = characters;
    const best = new Float32Array(length + 1);
    const from = new Int32Array(length + 1).fill(-1);
    const unknown = new Uint8Array(length + 1);
    const reach = (to: number, at: number, score: number, isUnknown: boolean): void => {
      const total = Math.fround(best[at]! + score);
      if (from[to]! >= 0 && total <= best[to]!) return;
      best[to] = total;
      from[to] = at;
      unknown[to] = isUnknown ? 1 : 0;
    };
    for (let at = 0; at < length; at++) {
      let text = '';
      let single = false;
      for (let n = 1; n <= longest && at + n <= length; n++) {
        text += characters[at + n - 1]!;
        const piece = known.get(text);
        if (piece === undefined) continue;
        // Pieces that the user defined are taken wherever they fit.
        const score = piece.kind === USER ? Math.fround(encoder.encode(text).length * highest - 0.1) : piece.score;
        reach(at + n, at, score, false);
        if (n === 1) single = true;
      }
      if (!single) reach(at + 1, at, unknownScore, true);
    }
    const found: { text: string; unknown: boolean }[] = [];
    for (let to = length; to > 0; to = from[to]!)
      found.push({ text: characters.slice(from[to]!, to).join(''), unknown: unknown[to] === 1 });
    const joined: { text: string; unknown: boolean }[] = [];
    for (const piece of found.reverse()) {
      const last = joined.at(-1);
      if (piece.unknown && byteFallback)
        for (const byte of encoder.encode(piece.text))
          joined.push({ text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, unknown: false });
      else if (piece.unknown && last?.unknown === true) last.text += piece.text; // neighbours are one unknown piece
      else joined.push({ ...piece });
    }
    return joined.map(piece => piece.text);
  };
}
