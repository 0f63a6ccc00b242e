/** What a byte-level BPE vocabulary is made of, and the rules that it must keep. */

import { fail } from '@heddle/core';
import type { Specials } from './tokenizer.js';

/** Two ids become one. Several merges may make the same id, if they spell the same bytes. */
export type Merge = readonly [left: number, right: number, result: number];

export interface BpeParts {
  /** The id of each byte: 256 of them. */
  readonly bytes: readonly number[];
  /** Best first. */
  readonly merges: readonly Merge[];
  readonly specials: Specials;
}

/**
 * Doubling merges would let a file of a kilobyte spell gigabytes: 40 of them make a token of 2^40 bytes.
 * The longest token of GPT-2 has 128 bytes.
 */
export const longestToken = 1024;

/**
 * The bytes of every id; undefined for specials.
 *
 * @throws E_TOKENIZER unless ids are 0 to n - 1, each of one meaning, and each merge stands after what it merges
 */
export function spell({ bytes, merges, specials }: BpeParts, where: string): readonly (Uint8Array | undefined)[] {
  const wrong = (what: string, details: Readonly<Record<string, unknown>> = {}): never =>
    fail('E_TOKENIZER', `${where}: ${what} Save the tokeniser again from where it was trained.`, details);

  const spelled = new Map<number, Uint8Array>();
  const named = new Map<number, string>();
  if (bytes.length !== 256)
    wrong(`expected an id for each of 256 bytes, received ${bytes.length}.`, { received: bytes.length });
  for (const [byte, id] of bytes.entries()) {
    if (spelled.has(id)) wrong(`byte ${byte}: expected an id of its own, received ${id} again.`, { byte, id });
    spelled.set(id, Uint8Array.of(byte));
  }
  for (const [name, id] of Object.entries(specials)) {
    if (spelled.has(id) || named.has(id))
      wrong(`special '${name}': expected an id of its own, received ${id}, which has another meaning.`, { name, id });
    named.set(id, name);
  }

  const seen = new Set<string>();
  for (const [rank, [left, right, result]] of merges.entries()) {
    const [first, second] = [spelled.get(left), spelled.get(right)];
    if (!first || !second)
      return wrong(`merge ${rank}: expected ids made by bytes or earlier merges, received ${left} and ${right}.`, {
        rank,
        left,
        right,
      });
    if (seen.size === seen.add(`${left} ${right}`).size)
      wrong(`merge ${rank}: expected a new pair, received ${left} and ${right} again.`, { rank, left, right });
    const length = first.length + second.length;
    if (length > longestToken)
      wrong(`merge ${rank}: expected a token of at most ${longestToken} bytes, received ${length}.`, { rank, length });
    const made = new Uint8Array(length);
    made.set(first);
    made.set(second, first.length);
    const known = spelled.get(result);
    if (named.has(result) || (known && !same(known, made)))
      wrong(`merge ${rank}: expected a new id, received ${result}, which has another meaning.`, { rank, result });
    spelled.set(result, made);
  }

  const size = spelled.size + named.size;
  for (const id of [...spelled.keys(), ...named.keys()]) {
    if (!Number.isInteger(id) || id < 0 || id >= size)
      wrong(`expected ids from 0 to ${size - 1} without gaps, received ${id}.`, { id, size });
  }
  return Array.from({ length: size }, (_, id) => spelled.get(id));
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, at) => byte === b[at]);

/** Where byte b has id b: what our own trainer makes. */
export const plainBytes: readonly number[] = Array.from({ length: 256 }, (_, byte) => byte);
