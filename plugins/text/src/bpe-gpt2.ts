/** Reading the pair of files that GPT-2 and its kin come as: `vocab.json` (token to id) and `merges.txt`. */

import { fail } from '@heddle/core';
import { bpeTokenizer } from './bpe.js';
import type { Merge } from './bpe-parts.js';
import type { Tokenizer } from './tokenizer.js';

export interface Gpt2Files {
  /** `vocab.json`, parsed. */
  readonly vocabulary: unknown;
  /** `merges.txt`, as it is. */
  readonly merges: string;
  /** Entries of the vocabulary that are no text. Default: `<|endoftext|>`, where the vocabulary has it. */
  readonly specials?: readonly string[];
}

/**
 * @throws E_TOKENIZER when the files are not such a pair
 *
 * @example
 * bpeFromGpt2({ vocabulary: JSON.parse(vocabJson), merges: mergesTxt })
 */
export function bpeFromGpt2({ vocabulary, merges: text, specials: names }: Gpt2Files): Tokenizer {
  if (typeof vocabulary !== 'object' || vocabulary === null || Array.isArray(vocabulary)) {
    fail(
      'E_TOKENIZER',
      `vocab.json: expected an object of tokens and ids, received ${Array.isArray(vocabulary) ? 'a list' : typeof vocabulary}. Pass the parsed file.`,
    );
  }
  const ids = new Map(Object.entries(vocabulary as Record<string, number>));
  const idOf = (token: string, wanted: string): number =>
    ids.get(token) ??
    fail(
      'E_TOKENIZER',
      `vocab.json: expected ${wanted}, received no entry '${token}'. Use the vocab.json and merges.txt of the same model.`,
      { token },
    );

  const specials = Object.fromEntries(
    (names ?? ['<|endoftext|>'].filter(name => ids.has(name))).map(name => [name, idOf(name, 'the special')]),
  );
  const bytes = byteLetters.map((letter, byte) => idOf(letter, `the letter of byte ${byte}`));

  const merges: Merge[] = [];
  for (const [at, line] of text.split('\n').entries()) {
    if (line === '' || line === '\r' || (at === 0 && line.startsWith('#version'))) continue;
    const [left, right, ...more] = line.replace(/\r$/, '').split(' ');
    if (!left || !right || more.length > 0) {
      fail(
        'E_TOKENIZER',
        `merges.txt line ${at + 1}: expected two tokens and a space between, received '${line.slice(0, 40)}'. Use the file as it was published.`,
        { line: at + 1 },
      );
    }
    merges.push([
      idOf(left, 'the left of a merge'),
      idOf(right, 'the right of a merge'),
      idOf(left + right, 'the result of a merge'),
    ]);
  }

  const used = new Set([...bytes, ...merges.map(merge => merge[2]), ...Object.values(specials)]);
  for (const [token, id] of ids) {
    if (!used.has(id)) {
      fail(
        'E_TOKENIZER',
        `vocab.json: entry '${token}': expected a byte, a merge or a special, received none of them. If it is no text, name it in \`specials\`.`,
        { token, id },
      );
    }
  }
  return bpeTokenizer({ bytes, merges, specials }, 'vocab.json');
}

/**
 * GPT-2 writes bytes as printable letters, so that its files are text: the printable bytes of Latin-1 are themselves,
 * the 68 others are U+0100 and up, in order.
 */
export const byteLetters: readonly string[] = (() => {
  let next = 0x100;
  const printable = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || byte >= 0xae;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : next++));
})();
