/** What a SentencePiece vocabulary is made of, whatever file it comes from, and the rules that it must keep. */

import { fail } from '@heddle/core';
import { isBytePiece } from './byte-pieces.js';

/**
 * - `normal`: text
 * - `unknown`: stands for characters that no piece has; exactly one
 * - `control`: no text: `<s>`, `</s>`, `<pad>`
 * - `user`: text that is always one piece, and passes the normaliser unchanged
 * - `unused`: never made
 * - `byte`: `<0x41>`, one byte of a character that no piece has
 */
export type PieceKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

export interface Piece {
  /** With U+2581 for spaces. */
  readonly text: string;
  /** `unigram`: log-probability. `bpe`: pairs with a higher one merge first. */
  readonly score: number;
  readonly kind: PieceKind;
}

export interface NormalizerParts {
  /** SentencePiece's compiled table of replacements; empty for none. */
  readonly charsMap: Uint8Array;
  /** A space is put before the text, so that its first word looks like any other. */
  readonly dummyPrefix: boolean;
  /** Spaces at either end go, and of several in a row one stays. */
  readonly removeExtraSpaces: boolean;
  readonly escapeSpaces: boolean;
  /** The dummy space stands at the end instead. */
  readonly spaceAsSuffix: boolean;
}

export interface SentencePieceParts {
  readonly algorithm: 'unigram' | 'bpe';
  /** By id. */
  readonly pieces: readonly Piece[];
  readonly normalizer: NormalizerParts;
  /** Characters without a piece become their bytes instead of one unknown piece. */
  readonly byteFallback: boolean;
  /** What the unknown piece is decoded to. */
  readonly unknownText: string;
}

/** Stands for a space inside pieces. */
export const spaceMark = '\u2581';

/** The longest piece of known models has some tens of bytes; ones of megabytes are an attack or a mistake. */
const longestPiece = 4096;

/** @throws E_TOKENIZER unless there is one unknown piece, all others have texts of their own, and fallback has its 256 bytes */
export function checkParts({ pieces, byteFallback }: SentencePieceParts, where: string): void {
  const wrong = (what: string, details: Readonly<Record<string, unknown>> = {}): never =>
    fail('E_TOKENIZER', `${where}: ${what} Use the file as it was published or saved.`, details);

  const seen = new Set<string>();
  let [unknown, bytes] = [0, 0];
  for (const [id, { text, score, kind }] of pieces.entries()) {
    if (text === '' || text.length > longestPiece)
      wrong(`piece ${id}: expected 1 to ${longestPiece} characters, received ${text.length}.`, { id });
    if (seen.has(text)) wrong(`piece ${id}: expected a text of its own, received '${text}' again.`, { id, text });
    seen.add(text);
    if (!Number.isFinite(score)) wrong(`piece ${id}: expected a finite score, received ${score}.`, { id, score });
    if (kind === 'unknown') unknown++;
    if (kind === 'byte') {
      bytes++;
      if (!isBytePiece(text)) wrong(`piece ${id}: expected a byte such as <0x41>, received '${text}'.`, { id, text });
    }
  }
  if (unknown !== 1) wrong(`expected one unknown piece, received ${unknown}.`, { unknown });
  if (byteFallback && bytes !== 256) wrong(`expected pieces for all 256 bytes, received ${bytes}.`, { bytes });
}
