/** Which tokeniser a language needs, and whether one is plainly wrong for a text. */

import { fail } from '@heddle/core';
import type { BuiltinTokenizer } from '../tokenizers/builtin.js';

/** Languages that part no words by spaces, or that sacreBLEU has a tokeniser of its own for. ISO 639-1. */
const needs: Readonly<Record<string, string>> = {
  zh: 'zh',
  ja: 'ja-mecab',
  ko: 'ko-mecab',
  th: 'char',
  lo: 'char',
  km: 'char',
  my: 'char',
  bo: 'char',
};

/** `zh`, `zh-Hans`, `zho_Hans` and `Chinese` to `zh`; anything else in lower case. */
export function languageCode(name: string): string {
  const [first] = name.toLowerCase().split(/[-_]/);
  const long: Readonly<Record<string, string>> = {
    zho: 'zh',
    cmn: 'zh',
    yue: 'zh',
    chinese: 'zh',
    jpn: 'ja',
    japanese: 'ja',
    kor: 'ko',
    korean: 'ko',
    tha: 'th',
    thai: 'th',
    lao: 'lo',
    khm: 'km',
    mya: 'my',
    bod: 'bo',
  };
  return long[first!] ?? first!;
}

/** What sacreBLEU takes for a target language: `zh` for Chinese, `ja-mecab`, `ko-mecab`, `13a` for most; `char` for those without spaces. */
export const tokenizerForLanguage = (language: string): string => needs[languageCode(language)] ?? '13a';

/** Unicode scripts whose languages part no words. Kana come first: Japanese holds Chinese characters too. */
const scripts: readonly (readonly [name: string, pattern: RegExp, language: string])[] = [
  ['Japanese', /[\p{Script=Hiragana}\p{Script=Katakana}]/gu, 'ja'],
  ['Chinese', /\p{Script=Han}/gu, 'zh'],
  ['Thai', /\p{Script=Thai}/gu, 'th'],
  ['Lao', /\p{Script=Lao}/gu, 'lo'],
  ['Khmer', /\p{Script=Khmer}/gu, 'km'],
  ['Burmese', /\p{Script=Myanmar}/gu, 'my'],
  ['Tibetan', /\p{Script=Tibetan}/gu, 'bo'],
];

/** A tenth of kana makes a text Japanese: the rest may be Chinese characters. Of other scripts half is asked. */
const enough = (language: string): number => (language === 'ja' ? 0.1 : 0.5);

export interface SpokenScript {
  readonly name: string;
  readonly language: string;
  /** Of the letters. */
  readonly share: number;
}

/** The script without spaces that a text is mostly written in; null for all others. */
export function scriptWithoutSpaces(sample: string): SpokenScript | null {
  const letters = sample.match(/\p{L}/gu)?.length ?? 0;
  for (const [name, pattern, language] of scripts) {
    const share = letters === 0 ? 0 : (sample.match(pattern)?.length ?? 0) / letters;
    if (share >= enough(language)) return { name, language, share };
  }
  return null;
}

/** Tokenisers that look for spaces. */
const bySpaces: readonly string[] = ['13a', 'intl', 'none'] satisfies readonly BuiltinTokenizer[];

/**
 * Refuses a tokeniser that would make a token of each clause, so that BLEU counts next to nothing.
 *
 * @param sample some references; a hundred lines are plenty
 * @throws E_TOKENIZE
 */
export function checkTokenizer(tokenizer: string, sample: string): void {
  const found = scriptWithoutSpaces(sample);
  if (found === null || !bySpaces.includes(tokenizer)) return;
  if (tokenizer === 'none' && (sample.match(/\s/g)?.length ?? 0) * 8 > sample.length) return; // tokenised already
  const right = tokenizerForLanguage(found.language);
  fail(
    'E_TOKENIZE',
    `tokenize: expected a tokeniser for ${found.name}, in which ${Math.round(found.share * 100)} % of the references' letters are written, received '${tokenizer}', which looks for spaces. Take '${right}'${right === 'char' ? '' : " or 'char'"}.`,
    { tokenizer, script: found.name, share: found.share, right },
  );
}
