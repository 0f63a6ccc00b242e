/**
 * Reading `.model` files of SentencePiece: a protocol buffer (`sentencepiece_model.proto`) with pieces, how the model was
 * trained, and how text is normalised. Every length in it is looked at before it is believed.
 */

import { fail } from '@heddle/core';
import type { Tokenizer } from '../tokenizer.js';
import { textOf } from '../utf8.js';
import type { Piece, PieceKind } from './parts.js';
import { sentencePieceTokenizer } from './tokenizer.js';

/**
 * @param bytes of the file
 * @param where names the source in messages
 * @throws E_TOKENIZER for a file that is none or is cut short, and for models of kind word or char
 */
export function sentencePieceFromModel(bytes: Uint8Array, where = 'model'): Tokenizer {
  const pieces: Piece[] = [];
  const trainer = new Map<number, Value>();
  const normalizer = new Map<number, Value>();
  const refuse = (what: string, details: Readonly<Record<string, unknown>> = {}): never =>
    fail(
      'E_TOKENIZER',
      `${where}: expected a SentencePiece model, received ${what}. Download the file again.`,
      details,
    );

  const message = (value: Value): ReadonlyMap<number, Value> =>
    value instanceof Uint8Array ? new Map(fieldsOf(value, refuse)) : refuse('a number where a message should be');
  for (const [number, value] of fieldsOf(bytes, refuse)) {
    if (number === 1) pieces.push(pieceOf(message(value), pieces.length, refuse));
    else if (number === 2) for (const [field, own] of message(value)) trainer.set(field, own);
    else if (number === 3) for (const [field, own] of message(value)) normalizer.set(field, own);
  }
  if (pieces.length === 0) refuse(bytes.length === 0 ? 'an empty file' : 'no pieces');

  const flag = (fields: ReadonlyMap<number, Value>, field: number, otherwise: boolean): boolean =>
    fields.has(field) ? fields.get(field) === 1 : otherwise;
  const algorithm = algorithms[Number(trainer.get(3) ?? 1)];
  if (algorithm === undefined)
    return fail(
      'E_TOKENIZER',
      `${where}: expected a SentencePiece model of kind unigram or BPE, received ${trainer.get(3) === 3 ? 'words' : trainer.get(3) === 4 ? 'characters' : `kind ${String(trainer.get(3))}`}. Train one of these two.`,
      { where, kind: trainer.get(3) },
    );
  const charsMap = normalizer.get(2);
  const unknownText = trainer.get(44);
  return sentencePieceTokenizer(
    {
      algorithm,
      pieces,
      byteFallback: flag(trainer, 35, false),
      unknownText: unknownText instanceof Uint8Array ? textOf(unknownText, where) : ' \u2047 ',
      normalizer: {
        charsMap: charsMap instanceof Uint8Array ? charsMap.slice() : new Uint8Array(0),
        dummyPrefix: flag(normalizer, 3, true),
        removeExtraSpaces: flag(normalizer, 4, true),
        escapeSpaces: flag(normalizer, 5, true),
        spaceAsSuffix: flag(trainer, 24, false),
      },
    },
    where,
  );
}

const algorithms: Readonly<Record<number, 'unigram' | 'bpe'>> = { 1: 'unigram', 2: 'bpe' };
const kinds: readonly (PieceKind | undefined)[] = [undefined, 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];

/** A whole number, or bytes: a text, a message, a float. */
type Value = Uint8Array | number;

type Refuse = (what: string, details?: Readonly<Record<string, unknown>>) => never;

function pieceOf(fields: ReadonlyMap<number, Value>, id: number, refuse: Refuse): Piece {
  const [text, score, kind = 1] = [fields.get(1), fields.get(2), fields.get(3)];
  const known = typeof kind === 'number' ? kinds[kind] : undefined;
  if (!(text instanceof Uint8Array) || known === undefined) return refuse(`piece ${id} without text or kind`, { id });
  if (score !== undefined && !(score instanceof Uint8Array && score.length === 4))
    return refuse(`piece ${id} with a score that is no float`, { id });
  return {
    text: new TextDecoder('utf-8', { ignoreBOM: true }).decode(text),
    score: score instanceof Uint8Array ? new DataView(score.buffer, score.byteOffset).getFloat32(0, true) : 0,
    kind: known,
  };
}

/** The fields of a message in order: numbers as numbers, all else as the bytes that they stand in. */
function* fieldsOf(bytes: Uint8Array, refuse: Refuse): Iterable<readonly [number: number, value: Value]> {
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (let i = 0; i < 10; i++) {
      const byte = bytes[at++] ?? refuse(`a file that ends inside a number, at byte ${bytes.length}`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return refuse(`a number of more than ten bytes at byte ${at}`);
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag % 8;
    const number = Math.floor(tag / 8);
    if (wire === 0) {
      yield [number, varint()];
      continue;
    }
    const length = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : refuse(`wire type ${wire} at byte ${at}`);
    if (length > bytes.length - at) refuse(`a field of ${length} bytes with ${bytes.length - at} left`);
    yield [number, bytes.subarray(at, at + length)];
    at += length;
  }
}
