/** The translation prompt of ALMA (arXiv 2309.11674), and which tokens of it a model learns from. */

import { fail } from '@heddle/core';
import type { Language } from '../languages.js';
import { directionOf, type DirectionName } from './strategies.js';

/** English names of the fifty languages, as X-ALMA's prompts have them. */
export const languageNames: Readonly<Record<Language, string>> = {
  en: 'English',
  da: 'Danish', nl: 'Dutch', de: 'German', is: 'Icelandic', no: 'Norwegian', sv: 'Swedish', af: 'Afrikaans',
  ca: 'Catalan', ro: 'Romanian', gl: 'Galician', it: 'Italian', pt: 'Portuguese', es: 'Spanish',
  bg: 'Bulgarian', mk: 'Macedonian', sr: 'Serbian', uk: 'Ukrainian', ru: 'Russian',
  id: 'Indonesian', ms: 'Malay', th: 'Thai', vi: 'Vietnamese', mg: 'Malagasy', fr: 'French',
  hu: 'Hungarian', el: 'Greek', cs: 'Czech', pl: 'Polish', lt: 'Lithuanian', lv: 'Latvian',
  ka: 'Georgian', zh: 'Chinese', ja: 'Japanese', ko: 'Korean', fi: 'Finnish', et: 'Estonian',
  gu: 'Gujarati', hi: 'Hindi', mr: 'Marathi', ne: 'Nepali', ur: 'Urdu',
  az: 'Azerbaijani', kk: 'Kazakh', ky: 'Kyrgyz', tr: 'Turkish', uz: 'Uzbek', ar: 'Arabic', he: 'Hebrew', fa: 'Persian',
}; // prettier-ignore

/**
 * The target follows at once.
 *
 * @param names of further languages
 * @throws E_DIRECTION; E_LANGUAGE for a language without a name
 */
export function translationPrompt(
  source: string,
  direction: DirectionName,
  names: Readonly<Record<string, string>> = {},
): string {
  const { language, way } = directionOf(direction);
  const nameOf = (code: string): string =>
    names[code] ??
    (languageNames as Readonly<Record<string, string>>)[code] ??
    fail('E_LANGUAGE', `prompt: expected a language with an English name, received '${code}'. Give its name.`, {
      code,
    });
  const [from, to] = way === 'out-of' ? [nameOf('en'), nameOf(language)] : [nameOf(language), nameOf('en')];
  return `Translate this from ${from} to ${to}:\n${from}: ${source}\n${to}:`;
}

export interface PromptRow {
  /** Beginning, prompt, target, end. */
  readonly ids: readonly number[];
  /** 1 where a token is learnt. */
  readonly learnt: readonly number[];
}

/**
 * A row to learn from: the target and its end alone.
 *
 * @param asReference the reference counts the prompt without its beginning, so that the prompt's last token is learnt too
 */
export const promptRow = (
  prompt: readonly number[],
  target: readonly number[],
  { begin, end, asReference = false }: { readonly begin: number; readonly end: number; readonly asReference?: boolean },
): PromptRow => {
  const ids = [begin, ...prompt, ...target, end];
  const from = prompt.length + (asReference ? 0 : 1);
  return { ids, learnt: ids.map((_, i) => (i < from ? 0 : 1)) };
};
