/** The normaliser of Tercom, which TER is defined by. */

import { squeeze } from '../text/whitespace.js';
import type { Tokenizer } from './tokenizer.js';
import { unescape, western } from './western.js';

export interface TercomOptions {
  /** Part punctuation from words and undo XML escapes. Default false. */
  readonly normalized?: boolean;
  /** Take punctuation out. Default false. */
  readonly noPunctuation?: boolean;
  /** Treat Chinese and Japanese in what the two options above do. Default false. */
  readonly asianSupport?: boolean;
  /** Default false: everything is lower-cased. */
  readonly caseSensitive?: boolean;
}

/** Ideographs, radicals, compatibility forms. The last range ends at U+3F22 in the reference, not at U+32FF as meant. */
const ideographs = [
  /[\u4e00-\u9fff\u3400-\u4dbf]/g,
  /[\u31c0-\u31ef\u2e80-\u2eff]/g,
  /[\u3300-\u33ff\uf900-\ufaff\ufe30-\ufe4f]/g,
  /[\u3200-\u3f22]/g,
];
const asianPunctuation = /[\u3001\u3002\u3008-\u3011\u3014-\u301f\uff61-\uff65\u30fb]/g;
const fullWidthPunctuation = /[\uff0e\uff0c\uff1f\uff1a\uff1b\uff01\uff02\uff08\uff09]/g;

/** The reference's rules for kana are anchored to the start of a line that by then begins with a space: they never apply. */
const parted = [...ideographs, asianPunctuation, fullWidthPunctuation];

/** Tercom's Western rules: those of 13a, with `'s` parted from its noun. */
const normalize = (text: string): string =>
  western(` ${unescape(text.replaceAll('\n-', '').replaceAll('\n', ' '))} `, line => line.replaceAll("'s ", " 's "));

export function tercom({
  normalized = false,
  noPunctuation = false,
  asianSupport = false,
  caseSensitive = false,
}: TercomOptions = {}): Tokenizer {
  return {
    signature: 'tercom',
    tokenize(line) {
      let text = caseSensitive ? line : line.toLowerCase();
      if (normalized) {
        text = normalize(text);
        if (asianSupport) for (const kind of parted) text = text.replace(kind, ' $& ');
      }
      if (noPunctuation) {
        text = text.replace(/[.,?:;!"()]/g, '');
        if (asianSupport) text = text.replace(asianPunctuation, '').replace(fullWidthPunctuation, '');
      }
      return squeeze(text);
    },
  };
}
