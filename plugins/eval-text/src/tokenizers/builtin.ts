/** The tokenisers of sacreBLEU that need nothing but code. */

import { squeeze, trim } from '../text/whitespace.js';
import type { Tokenizer } from './tokenizer.js';
import { unescape, westernTokens } from './western.js';

/** No tokenisation: for text that is tokenised already. */
const none: Tokenizer = { signature: 'none', tokenize: line => line };

const tokens13a = (line: string): string[] => {
  let text = line;
  if (text.includes('<skipped>')) text = text.replaceAll('<skipped>', '');
  if (text.includes('\n')) text = text.replaceAll('-\n', '').replaceAll('\n', ' ');
  return westernTokens(unescape(text), true);
};

/** mteval-v13a, the tokenisation of WMT for languages that part words by spaces. */
const v13a: Tokenizer = { signature: '13a', tokenize: line => tokens13a(line).join(' '), tokens: tokens13a };

/**
 * mteval-v14 `--international-tokenization`: every punctuation mark and symbol of Unicode stands alone, but punctuation
 * between numbers. A number before the last full stop of a line keeps it, as in the original.
 */
const intl: Tokenizer = {
  signature: 'intl',
  tokenize: line =>
    squeeze(
      line
        .replace(/(\P{N})(\p{P})/gu, '$1 $2 ')
        .replace(/(\p{P})(\P{N})/gu, ' $1 $2')
        .replace(/\p{S}/gu, ' $& '),
    ),
};

/** Every code point is a token: for Chinese, Japanese, Thai and others without spaces. */
const char: Tokenizer = { signature: 'char', tokenize: line => [...line].join(' ') };

/**
 * Every Chinese character stands alone; the rest is tokenised as in 13a.
 *
 * The ranges are those that sacreBLEU's comparisons come to. Two of its entries are written with too few digits for the
 * planes that they mean, and so cover U+2001 to U+2A6D (dashes, quotes, arrows, mathematics) and no character beyond the
 * basic plane. Scores depend on it, so it is kept.
 */
const chinese =
  /[\u2001-\u2a6d\u2e80-\u2fdf\u2ff0-\u303f\u3100-\u312f\u31a0-\u31bf\u31c0-\u31ef\u3200-\u4db5\u4e00-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef]/g;

const tokensZh = (line: string): string[] => westernTokens(trim(line).replace(chinese, ' $& '), false);
const zh: Tokenizer = { signature: 'zh', tokenize: line => tokensZh(line).join(' '), tokens: tokensZh };

export const builtin = { none, '13a': v13a, intl, char, zh } as const;

export type BuiltinTokenizer = keyof typeof builtin;
