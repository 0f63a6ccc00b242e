/**
 * A small language identifier: naive Bayes on n-grams of characters, trained in one pass over text that the user names.
 * Nothing is shipped, so it knows what it was shown and says so.
 */

import { fail } from '@heddle/core';

export interface LanguageModel {
  readonly format: 'heddle-languages-1';
  /** Longest n-gram, in characters. */
  readonly order: number;
  /** By language: natural logarithms of the shares of its n-grams, and of one that it was never shown. */
  readonly languages: Readonly<
    Record<string, { readonly unseen: number; readonly grams: Readonly<Record<string, number>> }>
  >;
}

export interface TrainOptions {
  /** Default 3. */
  readonly order?: number | undefined;
  /** N-grams kept for each language, the most frequent; default 8,000. */
  readonly most?: number | undefined;
}

export interface Identified {
  /** null where the text holds no letters, or no n-gram that any language knows. */
  readonly language: string | null;
  /** Posterior of that language among those known, 0 to 1. */
  readonly probability: number;
}

/** Letters and marks, lower-cased, runs of everything else as one space: digits and punctuation are of no language. */
function normal(text: string): string {
  const letters = text
    .normalize('NFC')
    .toLowerCase()
    .replace(/[^\p{L}\p{M}]+/gu, ' ')
    .trim();
  return letters === '' ? '' : ` ${letters} `;
}

/**
 * A character that writes a syllable or a word says as much as several letters. Without this weight a name in Latin
 * letters outvotes the Chinese sentence around it.
 */
const syllables = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}]/u;
const syllableWeight = 4;

function* gramsOf(text: string, order: number): Iterable<string> {
  const characters = [...normal(text)];
  for (let from = 0; from < characters.length; from++) {
    let gram = '';
    for (let n = 0; n < order && from + n < characters.length; n++) {
      gram += characters[from + n]!;
      if (gram !== ' ') yield gram;
    }
  }
}

/**
 * @param texts lines or whole texts of each language
 * @throws E_LANGUAGE with fewer than two languages, or one without letters
 */
export function trainLanguages(
  texts: Readonly<Record<string, Iterable<string>>>,
  { order = 3, most = 8000 }: TrainOptions = {},
): LanguageModel {
  const names = Object.keys(texts);
  if (names.length < 2)
    fail(
      'E_LANGUAGE',
      `trainLanguages: expected text of two languages or more, received ${names.length}. Name a text for each language that a system may slip into.`,
      { names },
    );
  const counted = names.map(name => {
    const counts = new Map<string, number>();
    let total = 0;
    for (const text of texts[name]!)
      for (const gram of gramsOf(text, order)) {
        counts.set(gram, (counts.get(gram) ?? 0) + 1);
        total++;
      }
    if (total === 0)
      fail('E_LANGUAGE', `trainLanguages: expected text with letters for '${name}', received none. Check the file.`, {
        name,
      });
    return { name, counts, total };
  });
  // One share for what was never seen, the same for all: else a language with little text would win by its ignorance.
  const largest = Math.max(...counted.map(({ total }) => total));
  const unseen = Math.log(0.5 / largest);
  return {
    format: 'heddle-languages-1',
    order,
    languages: Object.fromEntries(
      counted.map(({ name, counts, total }) => {
        const kept = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).slice(0, most);
        return [name, { unseen, grams: Object.fromEntries(kept.map(([gram, n]) => [gram, Math.log(n / total)])) }];
      }),
    ),
  };
}

/** What reads texts with a model. @throws E_LANGUAGE for JSON that is none */
export function identifier(model: LanguageModel): (text: string) => Identified {
  if (model.format !== 'heddle-languages-1')
    fail(
      'E_LANGUAGE',
      `identifier: expected a model of format heddle-languages-1, received ${JSON.stringify(model.format)}. Train one with trainLanguages.`,
    );
  const names = Object.keys(model.languages);
  const tables = names.map(name => new Map(Object.entries(model.languages[name]!.grams)));
  const floors = names.map(name => model.languages[name]!.unseen);
  return text => {
    const sums = names.map(() => 0);
    let known = 0;
    for (const gram of gramsOf(text, model.order)) {
      const weight = syllables.test(gram) ? syllableWeight : 1;
      let seen = false;
      for (let i = 0; i < names.length; i++) {
        const log = tables[i]!.get(gram);
        if (log !== undefined) seen = true;
        sums[i]! += weight * (log ?? floors[i]!);
      }
      if (seen) known++;
    }
    if (known === 0) return { language: null, probability: 0 };
    const best = sums.indexOf(Math.max(...sums));
    return {
      language: names[best]!,
      probability: 1 / sums.reduce((total, sum) => total + Math.exp(sum - sums[best]!), 0),
    };
  };
}
