/** Byte-level byte-pair encoding (Sennrich et al. 2016, on bytes as in Radford et al. 2019): reads every text, frequent words become one token. */

import { fail } from '@heddle/core';
import { byteDecoding } from './byte-decoder.js';
import { mergeWordBy } from './bpe-merge.js';
import { plainBytes, spell, type BpeParts } from './bpe-parts.js';
import { idBuffer } from './id-buffer.js';
import { pairTable } from './pairs.js';
import { cutSpecials } from './specials.js';
import type { Tokenizer } from './tokenizer.js';
import { forEachWord } from './words.js';
import { wordCache } from './word-cache.js';

/**
 * @param parts from `trainBpe`, `bpeFromGpt2` or a file
 * @param where names the source in messages
 * @throws E_TOKENIZER for parts that contradict each other
 */
export function bpeTokenizer(parts: BpeParts, where = 'bpe'): Tokenizer {
  const { bytes, merges, specials } = parts;
  const spelled = spell(parts, where);
  const ranks = pairTable(merges.length);
  for (const [rank, [left, right]] of merges.entries()) ranks.set(left, right, rank);
  const merge = mergeWordBy(
    ranks,
    Int32Array.from(merges, ([, , result]) => result),
  );
  const cache = wordCache<Int32Array>();
  let utf8 = new Uint8Array(256);
  let symbols = new Int32Array(256);

  const encodeWord = (word: string): Int32Array => {
    const known = cache.get(word);
    if (known) return known;
    if (word.length * 3 > utf8.length) {
      utf8 = new Uint8Array(word.length * 3); // a UTF-16 unit is at most 3 bytes
      symbols = new Int32Array(word.length * 3);
    }
    const { written } = encoder.encodeInto(word, utf8);
    for (let at = 0; at < written; at++) symbols[at] = bytes[utf8[at]!]!;
    const ids = symbols.slice(0, merge(symbols, written));
    cache.set(word, ids);
    return ids;
  };

  return {
    name: 'bpe',
    vocabularySize: spelled.length,
    specials,
    encode(text, options = {}) {
      const ids = idBuffer(text.length >> 1);
      for (const part of options.specials ? cutSpecials(text, specials) : [text]) {
        if (typeof part === 'number') ids.push(part);
        else forEachWord(part, word => ids.append(encodeWord(word)));
      }
      return ids.take();
    },
    ...byteDecoding(id => spelled[id], specials, spelled.length),
    toJSON: () => ({
      format: 'heddle-tokenizer',
      version: 1,
      kind: 'bpe',
      words: 'gpt2',
      ...(bytes.every((id, byte) => id === plainBytes[byte]) ? {} : { bytes: [...bytes] }),
      specials: { ...specials },
      merges: merges.map(merge => [...merge]),
    }),
  };
}

const encoder = new TextEncoder();

/**
 * Reads what `toJSON` wrote.
 *
 * @throws E_TOKENIZER for anything else
 */
export function bpeFromJson(json: Readonly<Record<string, unknown>>, where: string): Tokenizer {
  const refuse = (field: string, expected: string, received: unknown): never =>
    fail(
      'E_TOKENIZER',
      `${where}: ${field}: expected ${expected}, received ${brief(received)}. Save the tokeniser again from where it was trained.`,
      { field },
    );
  const { words, bytes = plainBytes, specials, merges } = json;
  if (words !== 'gpt2') refuse('words', "'gpt2'", words);
  if (!isIds(bytes)) return refuse('bytes', 'a list of ids', bytes);
  if (typeof specials !== 'object' || specials === null || !isIds(Object.values(specials)))
    return refuse('specials', 'names with ids', specials);
  if (!Array.isArray(merges)) return refuse('merges', 'a list', merges);
  for (const [rank, merge] of merges.entries())
    if (!isIds(merge) || merge.length !== 3) refuse(`merge ${rank}`, '[left, right, result]', merge);
  return bpeTokenizer(
    { bytes, specials: specials as Readonly<Record<string, number>>, merges: merges as BpeParts['merges'] },
    where,
  ); // checked above
}

const isIds = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every(id => Number.isInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 21);

const brief = (value: unknown): string => (JSON.stringify(value) ?? String(value)).slice(0, 60);
