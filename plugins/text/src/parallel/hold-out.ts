/** Keeping pairs back for validation and testing, so that no test source is trained on. */

import { fail } from '@heddle/core';
import { fingerprint } from '../hash.js';
import type { Pair } from './pair.js';

export interface HoldOutOptions {
  /** Shares of the messages: 0 up to, not including, 1 together. */
  readonly validation?: number;
  readonly test?: number;
  readonly seed?: number;
}

export type Part = 'train' | 'validation' | 'test';

export type HeldOut = Readonly<Record<Part, readonly Pair[]>>;

/**
 * Which part a message belongs to depends on its words and the seed alone: not on case, punctuation, order, the other
 * messages, or the language that it is translated into. So a source of one part never stands in another, in no corpus and
 * no direction that was split with the same seed.
 *
 * @throws E_OPTION for shares outside their range; E_EMPTY when a part that was asked for gets nothing
 */
export function holdOut(pairs: readonly Pair[], { validation = 0, test = 0, seed = 0 }: HoldOutOptions): HeldOut {
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    fail(
      'E_OPTION',
      `shares: expected validation and test of at least 0, together below 1, received ${validation} and ${test}. 0.02 of each is usual.`,
      { validation, test },
    );
  const parts: Record<Part, Pair[]> = { train: [], validation: [], test: [] };
  for (const pair of pairs) {
    const place = Number.parseInt(fingerprint(wordsOf(pair.key ?? pair.source), seed).slice(0, 8), 16) / 2 ** 32;
    parts[place < test ? 'test' : place < test + validation ? 'validation' : 'train'].push(pair);
  }
  const asked: Readonly<Record<Part, boolean>> = { train: true, validation: validation > 0, test: test > 0 };
  for (const part of ['train', 'validation', 'test'] as const)
    if (asked[part] && parts[part].length === 0)
      fail(
        'E_EMPTY',
        `corpus: expected pairs for ${part}, received none of ${pairs.length} (validation ${validation}, test ${test}). Give more text, or other shares.`,
        { part, pairs: pairs.length },
      );
  return parts;
}

/** Letters and digits in one case and one form: what is left of a text when only its words count. */
export const wordsOf = (text: string): string => {
  const words = text
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  return words === '' ? text : words;
};
