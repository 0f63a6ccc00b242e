/** The simplest tokeniser: one token per byte of UTF-8. Reads everything, learns nothing, makes long sequences. */

import { byteDecoding } from './byte-decoder.js';
import { cutSpecials, numberSpecials, standardSpecials } from './specials.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * Ids 0 to 255 are the bytes; specials follow in the order given.
 *
 * @throws E_TOKENIZER for an empty or repeated special
 *
 * @example
 * byteTokenizer().encode('hé') // Int32Array [104, 195, 169]
 */
export function byteTokenizer({
  specials: names = standardSpecials,
}: { readonly specials?: readonly string[] } = {}): Tokenizer {
  const specials = numberSpecials(names, 256);
  const vocabularySize = 256 + names.length;
  return {
    name: 'byte',
    vocabularySize,
    specials,
    encode(text, options = {}) {
      if (!options.specials) return Int32Array.from(encoder.encode(text));
      const parts = cutSpecials(text, specials);
      return Int32Array.from(
        parts.flatMap(part => (typeof part === 'number' ? [part] : Array.from(encoder.encode(part)))),
      );
    },
    ...byteDecoding(id => single[id], specials, vocabularySize),
    toJSON: () => ({ format: 'heddle-tokenizer', version: 1, kind: 'byte', specials: [...names] }),
  };
}

const encoder = new TextEncoder();

/** Bytes as arrays of one, by value: also the first 256 tokens of a BPE vocabulary. */
const single: readonly Uint8Array[] = Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte));
