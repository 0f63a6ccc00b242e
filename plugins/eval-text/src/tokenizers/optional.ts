/** Tokenisers that need more than this package: each says what, and looks for it when it is opened. */

import { definePoint } from '@heddle/core';
import type { Tokenizer } from './tokenizer.js';

export interface TokenizerOffer {
  /** As it is asked for: `ja-mecab`. */
  readonly name: string;
  /** What has to be there, in words for people. */
  readonly needs: string;
  /**
   * @param resource what the user names for it: a model file, a program
   * @throws E_UNAVAILABLE saying what is missing and how to get it
   */
  open(resource: string | null): Promise<Tokenizer>;
}

/** Optional tokenisers by name. Packages add theirs. */
export const TOKENIZERS = /* @__PURE__ */ definePoint<TokenizerOffer, 'unique-by-name'>({
  name: 'eval-text.tokenizers',
  rule: 'unique-by-name',
  key: item => item.name,
});

const spm = (name: string, signature: string): TokenizerOffer => ({
  name,
  needs: `the SentencePiece model of ${name}, a .model file that you download and name`,
  open: async resource => (await import('./sentencepiece.node.js')).openSentencePiece(name, signature, resource),
});

const mecab = (name: string, suffix: string, dictionary: string, sizes: readonly number[]): TokenizerOffer => ({
  name,
  needs: `the program mecab with ${dictionary}`,
  open: async resource => (await import('./mecab.node.js')).openMecab({ name, suffix, dictionary, sizes }, resource),
});

/** Debian's IPA dictionary holds one entry more than the one on PyPI; the tokens are the same. */
export const optionalTokenizers: readonly TokenizerOffer[] = [
  /* @__PURE__ */ mecab('ja-mecab', 'IPA', 'the IPA dictionary (Debian: mecab, mecab-ipadic-utf8)', [392126, 392127]),
  /* @__PURE__ */ mecab('ko-mecab', 'KO', 'mecab-ko-dic', [811795]),
  /* @__PURE__ */ spm('spm', 'flores101'),
  /* @__PURE__ */ spm('flores101', 'flores101'),
  /* @__PURE__ */ spm('flores200', 'flores200'),
  /* @__PURE__ */ spm('spBLEU-1K', 'spBLEU-1K'),
];
