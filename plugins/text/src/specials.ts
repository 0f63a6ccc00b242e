/** Tokens that stand for no text: where a document begins and ends, what fills a row. */

import { fail } from '@heddle/core';
import type { Specials } from './tokenizer.js';

/** What a tokeniser has if nothing else was asked for. */
export const standardSpecials: readonly string[] = ['<bos>', '<eos>', '<pad>'];

/**
 * Gives each name an id, in order.
 *
 * @throws E_TOKENIZER for an empty or repeated name
 */
export function numberSpecials(names: readonly string[], first: number): Specials {
  const ids: Record<string, number> = Object.create(null) as Record<string, number>; // a name may be `__proto__`
  for (const [at, name] of names.entries()) {
    if (typeof name !== 'string' || name === '') {
      fail(
        'E_TOKENIZER',
        `special ${at}: expected a name, received ${JSON.stringify(name)}. Give each special a non-empty string.`,
        { at, name },
      );
    }
    if (name in ids) fail('E_TOKENIZER', `special '${name}': expected once, received twice. Remove one.`, { name });
    ids[name] = first + at;
  }
  return Object.freeze(ids);
}

/** Cuts text at the names of specials: text, id, text, id... The longest name wins where two begin together. */
export function cutSpecials(text: string, specials: Specials): readonly (string | number)[] {
  const names = Object.keys(specials).sort((a, b) => b.length - a.length);
  if (names.length === 0) return [text];
  const any = new RegExp(`(${names.map(name => name.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')})`);
  return text.split(any).map((part, at) => (at % 2 === 1 ? specials[part]! : part)); // split keeps the captured names at odd places
}
