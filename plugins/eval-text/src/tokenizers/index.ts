/** Tokenisers by name. */

import { fail } from '@heddle/core';
import { builtin, type BuiltinTokenizer } from './builtin.js';
import type { Tokenizer } from './tokenizer.js';

export type { BuiltinTokenizer } from './builtin.js';
export type { Tokenizer } from './tokenizer.js';

export const tokenizerNames = /* @__PURE__ */ Object.keys(builtin) as readonly BuiltinTokenizer[];

/** @throws E_UNKNOWN for a name that is not built in */
export function tokenizerOf(which: string | Tokenizer): Tokenizer {
  if (typeof which !== 'string') return which;
  if (Object.hasOwn(builtin, which)) return builtin[which as BuiltinTokenizer];
  return fail(
    'E_UNKNOWN',
    `tokenize: expected ${tokenizerNames.join(', ')} or a tokeniser, received '${which}'. Optional ones are opened first: see the README of @heddle/eval-text.`,
    { which },
  );
}
