/** SentencePiece parts as our own JSON, and back. */

import { fail } from '@heddle/core';
import type { Tokenizer, TokenizerJson } from '../tokenizer.js';
import type { Piece, PieceKind, SentencePieceParts } from './parts.js';
import { sentencePieceTokenizer } from './tokenizer.js';

/** A piece is `[text, score]` where it is normal, else `[text, score, kind]`. */
export function sentencePieceJson(parts: SentencePieceParts): TokenizerJson {
  const { algorithm, pieces, normalizer, byteFallback, unknownText } = parts;
  return {
    format: 'heddle-tokenizer',
    version: 1,
    kind: 'sentencepiece',
    algorithm,
    normalizer: { ...normalizer, charsMap: base64(normalizer.charsMap) },
    byteFallback,
    unknownText,
    pieces: pieces.map(({ text, score, kind }) => (kind === 'normal' ? [text, score] : [text, score, kind])),
  };
}

/** Reads what `toJSON` wrote. @throws E_TOKENIZER for anything else */
export function sentencePieceFromJson(json: Readonly<Record<string, unknown>>, where: string): Tokenizer {
  const refuse = (field: string, expected: string, received: unknown): never =>
    fail(
      'E_TOKENIZER',
      `${where}: ${field}: expected ${expected}, received ${(JSON.stringify(received) ?? String(received)).slice(0, 60)}. Save the tokeniser again from where it was trained.`,
      { field },
    );
  const { algorithm, byteFallback, unknownText, pieces } = json;
  if (algorithm !== 'unigram' && algorithm !== 'bpe') return refuse('algorithm', "'unigram' or 'bpe'", algorithm);
  if (typeof byteFallback !== 'boolean') return refuse('byteFallback', 'true or false', byteFallback);
  if (typeof unknownText !== 'string') return refuse('unknownText', 'a string', unknownText);
  const normalizer = (
    typeof json['normalizer'] === 'object' && json['normalizer'] !== null ? json['normalizer'] : {}
  ) as Readonly<Record<string, unknown>>;
  const flag = (name: string): boolean => {
    const value = normalizer[name];
    return typeof value === 'boolean' ? value : refuse(`normalizer.${name}`, 'true or false', value);
  };
  const { charsMap } = normalizer;
  if (typeof charsMap !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(charsMap))
    return refuse('normalizer.charsMap', 'base64', charsMap);
  if (!Array.isArray(pieces)) return refuse('pieces', 'a list', pieces);
  return sentencePieceTokenizer(
    {
      algorithm,
      byteFallback,
      unknownText,
      normalizer: {
        charsMap: fromBase64(charsMap),
        dummyPrefix: flag('dummyPrefix'),
        removeExtraSpaces: flag('removeExtraSpaces'),
        escapeSpaces: flag('escapeSpaces'),
        spaceAsSuffix: flag('spaceAsSuffix'),
      },
      pieces: pieces.map((piece: unknown, id): Piece => {
        const [text, score, kind = 'normal'] = Array.isArray(piece) ? (piece as readonly unknown[]) : [];
        if (typeof text !== 'string' || typeof score !== 'number' || !isKind(kind))
          return refuse(`piece ${id}`, '[text, score, kind]', piece);
        return { text, score, kind };
      }),
    },
    where,
  );
}

const kinds: readonly unknown[] = ['normal', 'unknown', 'control', 'user', 'unused', 'byte'] satisfies PieceKind[];
const isKind = (value: unknown): value is PieceKind => kinds.includes(value);

function base64(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096));
  return btoa(text);
}

const fromBase64 = (text: string): Uint8Array => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
