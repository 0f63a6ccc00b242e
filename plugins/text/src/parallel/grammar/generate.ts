/**
 * Pairs out of a grammar, for machines without any corpus and for tests that need as many as they like: translations,
 * summaries, corrections.
 */

import { fail } from '@heddle/core';
import { checkCounts, checkSeed } from '../../cursor.js';
import { hashNumbers } from '../../hash.js';
import { permutation } from '../../permutation.js';
import type { Pair, PairReading } from '../pair.js';
import { constructedOf, sayConstructed } from './constructed.js';
import {
  grammarMeanings,
  languageOf,
  meaningOf,
  say,
  sayBoth,
  type GrammarLanguage,
  type Meaning,
} from './sentences.js';

export interface GrammarOptions {
  /** `en`, `de`, `fr`, or a made-up language such as `xa1` (see `constructed.ts`). Default `en`. */
  readonly source?: string;
  /** Default `de`. */
  readonly target?: string;
  /** Sentences, no two of one meaning: up to `grammarMeanings`. */
  readonly count: number;
  readonly seed?: number;
}

export interface GrammarTaskOptions {
  /** `en`, `de` or `fr`. Default `en`. */
  readonly language?: string;
  readonly count: number;
  readonly seed?: number;
}

/** Who says meanings in a language. @throws E_LANGUAGE */
const speakerOf = (name: string): ((meaning: Meaning) => string) => {
  const constructed = constructedOf(name);
  return constructed ? sayConstructed(constructed) : say[languageOf(name)];
};

/**
 * Translations. Sentence i of a seed means the same in every language; more sentences begin with the same ones.
 *
 * @throws E_LANGUAGE for a language that the grammar does not have; E_OPTION for a count outside its range
 */
export function generatePairs({ source = 'en', target = 'de', count, seed = 0 }: GrammarOptions): PairReading {
  const [from, to] = [speakerOf(source), speakerOf(target)];
  return generate(count, seed, meaning => ({
    source: from(meaning),
    target: to(meaning),
    key: say.en(meaning),
  }));
}

/**
 * Summaries: of three sentences two are about the same persons. The summary says what these do, in one sentence, without
 * adjectives, times and places.
 *
 * @throws E_LANGUAGE, E_OPTION
 */
export function generateSummaries({ language = 'en', count, seed = 0 }: GrammarTaskOptions): PairReading {
  const own = languageOf(language);
  return generate(count, seed, (main, i) => {
    const [other, aside] = [1, 2].map(n => meaningOf(hashNumbers(seed, 11, i, n) % grammarMeanings)) as [
      Meaning,
      Meaning,
    ];
    const again = { ...other, subject: { ...main.subject, adjective: null } };
    const stranger = aside.subject.noun === main.subject.noun ? { ...aside, subject: other.subject } : aside;
    const sentences = [main, again];
    sentences.splice(hashNumbers(seed, 12, i) % 3, 0, stranger);
    return { source: sentences.map(say[own]).join(' '), target: sayBoth(own, main, again) };
  });
}

/**
 * Corrections: the target is a sentence, the source the same with one or two mistakes (a verb that does not agree, a word
 * left out, one twice, two in the wrong order); one source in eight is right as it is.
 *
 * @throws E_LANGUAGE, E_OPTION
 */
export function generateCorrections({ language = 'en', count, seed = 0 }: GrammarTaskOptions): PairReading {
  const own = languageOf(language);
  return generate(count, seed, (meaning, i) => {
    const draw = (n: number, size: number): number => hashNumbers(seed, 21, i, n) % size;
    const mistakes = draw(0, 8) === 0 ? 0 : 1 + draw(1, 2);
    return { source: withMistakes(own, meaning, mistakes, draw), target: say[own](meaning) };
  });
}

function withMistakes(
  language: GrammarLanguage,
  meaning: Meaning,
  mistakes: number,
  draw: (n: number, size: number) => number,
): string {
  const kinds = Array.from({ length: mistakes }, (_, n) => draw(2 + 2 * n, 4));
  const words = say[language]({ ...meaning, disagrees: kinds.includes(0) })
    .slice(0, -1)
    .split(' ');
  for (const [n, kind] of kinds.entries()) {
    const at = draw(3 + 2 * n, words.length - 1);
    // Only a word that the others call for: no one could know which noun is missing.
    const small = words.flatMap((word, place) => (smallWords.has(word.toLowerCase()) ? [place] : []));
    if (kind === 1 && small.length > 0) words.splice(small[at % small.length]!, 1);
    if (kind === 2) words.splice(at, 0, words[at]!);
    if (kind === 3) words.splice(at, 2, words[at + 1]!, words[at]!);
  }
  return `${words.join(' ')}.`;
}

const smallWords: ReadonlySet<string> = new Set(
  'the a will in at after der die das den ein eine einen wird werden im am nach dem le la les un une va vont dans à'.split(
    ' ',
  ),
);

/** One pair of each of so many meanings. */
function generate(count: number, seed: number, pairOf: (meaning: Meaning, i: number) => Pair): PairReading {
  checkCounts({ count });
  checkSeed(seed);
  if (count > grammarMeanings)
    fail('E_OPTION', `count: expected at most ${grammarMeanings} sentences, received ${count}. Ask for fewer.`, {
      count,
    });
  const order = permutation(grammarMeanings, hashNumbers(seed));
  const pairs = Array.from({ length: count }, (_, i): Pair => ({
    ...pairOf(meaningOf(order(i)), i),
    where: `sentence ${i + 1}`,
  }));
  return { pairs, seen: count, dropped: [] };
}
