/** From ids that stand for bytes to text, shared by every tokeniser that works on bytes. */

import { fail } from '@heddle/core';
import type { DecodeOptions, Decoder, Specials } from './tokenizer.js';

/** The two ways to decode, as a `Tokenizer` has them. */
export interface ByteDecoding {
  decode(ids: ArrayLike<number>, options?: DecodeOptions): string;
  decoder(options?: DecodeOptions): Decoder;
}

/**
 * @param bytesOf the bytes of an id; undefined for specials and for ids outside the vocabulary
 * @param size the size of the vocabulary, for the error message
 */
export function byteDecoding(
  bytesOf: (id: number) => Uint8Array | undefined,
  specials: Specials,
  size: number,
): ByteDecoding {
  const nameOf = new Map(Object.entries(specials).map(([name, id]) => [id, name]));

  /** @returns bytes, or the name of a special */
  const look = (id: number): Uint8Array | string => bytesOf(id) ?? nameOf.get(id) ?? unknown(id);
  const unknown = (id: number): never =>
    fail(
      'E_TOKEN',
      `token ${id}: expected an id from 0 to ${size - 1}. Decode with the tokeniser that the ids come from.`,
      { id, vocabularySize: size },
    );

  return {
    decode(ids, options = {}) {
      const parts: string[] = [];
      let bytes = new Uint8Array(ids.length * 2 + 16);
      let used = 0;
      for (let at = 0; at < ids.length; at++) {
        const piece = look(ids[at]!);
        if (typeof piece === 'string') {
          parts.push(utf8(bytes.subarray(0, used)));
          used = 0;
          if (options.specials) parts.push(piece);
          continue;
        }
        if (used + piece.length > bytes.length) {
          const grown = new Uint8Array((used + piece.length) * 2);
          grown.set(bytes);
          bytes = grown;
        }
        bytes.set(piece, used);
        used += piece.length;
      }
      parts.push(utf8(bytes.subarray(0, used)));
      return parts.join('');
    },

    decoder(options = {}) {
      let waiting = new Uint8Array(0); // an unfinished character: at most 3 bytes
      const flush = (): string => {
        const rest = utf8(waiting);
        waiting = new Uint8Array(0);
        return rest;
      };
      return {
        push(id) {
          const piece = look(id);
          if (typeof piece === 'string') return flush() + (options.specials ? piece : '');
          const bytes = new Uint8Array(waiting.length + piece.length);
          bytes.set(waiting);
          bytes.set(piece, waiting.length);
          const whole = bytes.length - unfinished(bytes);
          waiting = bytes.slice(whole);
          return utf8(bytes.subarray(0, whole));
        },
        end: flush,
      };
    },
  };
}

// Without ignoreBOM the decoder would drop a U+FEFF that the text began with.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const utf8 = (bytes: Uint8Array): string => (bytes.length === 0 ? '' : decoder.decode(bytes));

/** How many bytes at the end begin a character that more bytes could finish: 0 to 3. */
export function unfinished(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const lead = bytes[bytes.length - back]!;
    if (lead >= 0x80 && lead < 0xc0) continue; // goes on; the lead is further left
    const length =
      lead >= 0xf0 && lead <= 0xf4 ? 4 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xc2 && lead < 0xe0 ? 2 : 1;
    return back < length && possible(bytes, bytes.length - back) ? back : 0;
  }
  return 0;
}

/** Some leads allow only part of the range for the second byte (overlong forms, surrogates, above U+10FFFF). */
function possible(bytes: Uint8Array, at: number): boolean {
  const second = bytes[at + 1];
  if (second === undefined) return true;
  const lead = bytes[at]!;
  if (lead === 0xe0) return second >= 0xa0;
  if (lead === 0xed) return second < 0xa0;
  if (lead === 0xf0) return second >= 0x90;
  if (lead === 0xf4) return second < 0x90;
  return true;
}
