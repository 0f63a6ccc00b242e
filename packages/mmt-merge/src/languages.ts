/**
 * The fifty languages of X-ALMA in their eight groups, and the directions between them and English: what group-wise merging
 * of translation experts is about (arXiv 2502.11223; groups: arXiv 2410.03115).
 */

import { groupIn } from './translation/strategies.js';

/** Language by its FLORES-200 code. */
export const floresCodes = {
  en: 'eng_Latn',
  da: 'dan_Latn', nl: 'nld_Latn', de: 'deu_Latn', is: 'isl_Latn', no: 'nob_Latn', sv: 'swe_Latn', af: 'afr_Latn',
  ca: 'cat_Latn', ro: 'ron_Latn', gl: 'glg_Latn', it: 'ita_Latn', pt: 'por_Latn', es: 'spa_Latn',
  bg: 'bul_Cyrl', mk: 'mkd_Cyrl', sr: 'srp_Cyrl', uk: 'ukr_Cyrl', ru: 'rus_Cyrl',
  id: 'ind_Latn', ms: 'zsm_Latn', th: 'tha_Thai', vi: 'vie_Latn', mg: 'plt_Latn', fr: 'fra_Latn',
  hu: 'hun_Latn', el: 'ell_Grek', cs: 'ces_Latn', pl: 'pol_Latn', lt: 'lit_Latn', lv: 'lvs_Latn',
  ka: 'kat_Geor', zh: 'zho_Hans', ja: 'jpn_Jpan', ko: 'kor_Hang', fi: 'fin_Latn', et: 'est_Latn',
  gu: 'guj_Gujr', hi: 'hin_Deva', mr: 'mar_Deva', ne: 'npi_Deva', ur: 'urd_Arab',
  az: 'azj_Latn', kk: 'kaz_Cyrl', ky: 'kir_Cyrl', tr: 'tur_Latn', uz: 'uzn_Latn', ar: 'arb_Arab', he: 'heb_Hebr', fa: 'pes_Arab',
} as const; // prettier-ignore

export type Language = keyof typeof floresCodes;
export type ForeignLanguage = Exclude<Language, 'en'>;

/** Groups in X-ALMA's order. */
export const languageGroups = {
  g1: ['da', 'nl', 'de', 'is', 'no', 'sv', 'af'],
  g2: ['ca', 'ro', 'gl', 'it', 'pt', 'es'],
  g3: ['bg', 'mk', 'sr', 'uk', 'ru'],
  g4: ['id', 'ms', 'th', 'vi', 'mg', 'fr'],
  g5: ['hu', 'el', 'cs', 'pl', 'lt', 'lv'],
  g6: ['ka', 'zh', 'ja', 'ko', 'fi', 'et'],
  g7: ['gu', 'hi', 'mr', 'ne', 'ur'],
  g8: ['az', 'kk', 'ky', 'tr', 'uz', 'ar', 'he', 'fa'],
} as const satisfies Readonly<Record<string, readonly ForeignLanguage[]>>;

export type LanguageGroup = keyof typeof languageGroups;

/** A direction of translation, such as `de-en`. */
export type Direction = `${ForeignLanguage}-en` | `en-${ForeignLanguage}`;

const foreign: readonly ForeignLanguage[] = Object.values(languageGroups).flat();

/** Into English, where experts are trained one by one and then merged by group; and out of it, where they are trained by group. */
export const directions: { readonly intoEnglish: readonly Direction[]; readonly outOfEnglish: readonly Direction[] } = {
  intoEnglish: foreign.map((language): Direction => `${language}-en`),
  outOfEnglish: foreign.map((language): Direction => `en-${language}`),
};

export const groupOf = (language: ForeignLanguage): LanguageGroup => groupIn(languageGroups, language) as LanguageGroup;
