/** Texts of a multilingual run: pairs of every language with English, parted alike in all, and monolingual ones out of them. */

import { fail, streamOf, uniforms } from '@heddle/core';
import { sha256 } from '@heddle/core/files';
import { floresCodes } from '@heddle/mmt-merge';
import {
  corpusFrom,
  filterPairs,
  holdOut,
  languageTag,
  linesOf,
  readCorpus,
  readText,
  repeatedTargets,
  trainBpe,
  wordsOf,
  type Pair,
  type Tokenizer,
} from '@heddle/text';
import { grouped } from '../words.js';
import { promptOf } from './framing.js';
import type { MultilingualSettings } from './settings.js';

export interface MultilingualTexts {
  /** From English, by language: what is learnt from and what is tested with. No English text stands in both, in no language. */
  readonly train: Readonly<Record<string, readonly Pair[]>>;
  readonly test: Readonly<Record<string, readonly Pair[]>>;
  /** What searches go by, apart from both; empty without them. */
  readonly validation: Readonly<Record<string, readonly Pair[]>>;
  /** Further tests by name and language, such as `ntrex`; a language may be missing from one. */
  readonly sets: Readonly<Record<string, Readonly<Record<string, readonly Pair[]>>>>;
  /** Share of pairs into English whose target stands in another language too: it is learnt again and again. */
  readonly repeated: number;
  /** Of all that is learnt from, and of all that is tested with. */
  readonly id: string;
  readonly testId: string;
}

/** Texts of a language at most, to keep a vocabulary's training short. */
const vocabularyTexts = 6000;

/** @throws E_LANGUAGE for a language without texts; as `readCorpus` */
export async function gatherTexts(
  { pairs: names, testSets, test, search, seed }: MultilingualSettings,
  say: (text: string) => void,
): Promise<MultilingualTexts> {
  const train: Record<string, readonly Pair[]> = {};
  const tests: Record<string, readonly Pair[]> = {};
  const validation: Record<string, readonly Pair[]> = {};
  const sets = await readTestSets(testSets, Object.keys(names), test, say);
  const held = new Set(Object.values(sets).flatMap(of => Object.values(of).flat().map(({ source }) => wordsOf(source)))); // prettier-ignore
  for (const [language, name] of Object.entries(names)) {
    const { pairs } = filterPairs(await readCorpus(corpusFrom(name)), { longest: 160, ratio: 3 });
    if (pairs.length < 10 * test)
      fail('E_LANGUAGE', `${language}: expected at least ${grouped(10 * test)} pairs with English, received ${grouped(pairs.length)} of ${name}. Leave the language out of the groups, give it a corpus with --pairs ${language}=FILE, or take fewer with --test.`, { language, received: pairs.length }); // prettier-ignore
    const share = Math.min(0.1, (1.5 * test) / pairs.length);
    const parts = holdOut(pairs.map(({ source, target }) => ({ source, target })), { test: share, validation: search > 0 ? share : 0, seed }); // prettier-ignore
    train[language] = parts.train.filter(({ source }) => !held.has(wordsOf(source)));
    tests[language] = parts.test.slice(0, test);
    validation[language] = parts.validation.slice(0, test);
    say(`  ${language}: ${grouped(train[language].length)} pairs to learn from, ${grouped(tests[language].length)} to test with, of ${name}`); // prettier-ignore
  }
  const english = Object.values(train).map(pairs => pairs.map(({ source, target }) => ({ source: target, target: source }))); // prettier-ignore
  const repeated = repeatedTargets(english);
  const idOf = (texts: unknown): string => sha256(new TextEncoder().encode(JSON.stringify(texts)));
  return { train, test: tests, validation, sets, repeated, id: idOf(train), testId: idOf([tests, sets, validation]) };
}

/** Columns of a table that may hold a language: `de`, `deu`, `deu_Latn`, `zho-CN`. */
const isColumnOf = (language: string) => {
  const flores = (floresCodes as Readonly<Record<string, string>>)[language];
  const codes = [language, ...(flores ? [flores.slice(0, 3)] : [])];
  return (column: string): boolean => codes.some(code => column === code || column.startsWith(`${code}-`) || column.startsWith(`${code}_`)); // prettier-ignore
};

/**
 * Tables of one text in many languages, a column for each, as NTREX-128 and Multi30k are laid out here.
 *
 * @throws E_LANGUAGE for a table without English, or without any of the languages
 */
async function readTestSets(
  testSets: Readonly<Record<string, string>>,
  languages: readonly string[],
  test: number,
  say: (text: string) => void,
): Promise<MultilingualTexts['sets']> {
  const sets: Record<string, Record<string, readonly Pair[]>> = {};
  for (const [name, file] of Object.entries(testSets)) {
    const [first = ''] = linesOf(await readText(file));
    const columns = first.split('\t');
    const english = columns.find(isColumnOf('en'));
    const known = languages.flatMap(language => {
      const column = columns.find(isColumnOf(language));
      return column === undefined ? [] : [[language, column] as const];
    });
    if (english === undefined || known.length === 0)
      return fail('E_LANGUAGE', `${file}: expected columns of English and of some of ${languages.join(', ')}, named by their codes, received ${columns.slice(0, 8).join(', ')}. Give a table with such a first line.`, { file, columns }); // prettier-ignore
    const of: Record<string, readonly Pair[]> = {};
    for (const [language, column] of known) {
      const { pairs } = await readCorpus({ file, source: english, target: column });
      // Spread over all of it: neighbours are of one document.
      const count = Math.min(test, pairs.length);
      of[language] = Array.from({ length: count }, (_, i) => pairs[Math.floor((i * pairs.length) / count)]!).map(({ source, target }) => ({ source, target })); // prettier-ignore
    }
    sets[name] = of;
    say(`  ${name}: ${grouped(Object.values(of).reduce((sum, { length }) => sum + length, 0))} pairs to test with, in ${known.map(([language]) => language).join(', ')}`); // prettier-ignore
  }
  return sets;
}

/** Pieces of all languages alike. */
export function tokenizerOf(
  { train }: MultilingualTexts,
  { vocabulary, architecture }: MultilingualSettings,
): Tokenizer {
  // prettier-ignore
  const languages = Object.keys(train);
  const texts = Object.values(train).flatMap(pairs => {
    const some = pairs.slice(0, vocabularyTexts);
    return [...some.map(({ target }) => target), ...some.slice(0, vocabularyTexts / languages.length).map(({ source }) => source)]; // prettier-ignore
  });
  // The words of prompts come with every text.
  const prompts = architecture === 'decoder' ? languages.flatMap(language => [`${language}-en`, `en-${language}`].flatMap(direction => new Array<string>(200).fill(promptOf('', direction)))) : []; // prettier-ignore
  return trainBpe([...texts, ...prompts], {
    vocabularySize: vocabulary,
    specials: ['<bos>', '<eos>', '<pad>', ...['en', ...languages].map(languageTag)],
  });
}

/**
 * What a base learns from: texts with words missing, to be written whole; and, as X-ALMA's third stage has it, a text and its
 * translation side by side, so that languages meet.
 */
export function denoising(
  pairs: readonly Pair[],
  seed: number,
): { readonly own: readonly Pair[]; readonly both: readonly Pair[] } {
  const draw = uniforms(seed, streamOf('denoising'));
  const noisy = (text: string): string => {
    const words = text.split(' ');
    const kept = words.filter(() => draw() >= 0.15);
    return (kept.length > 0 ? kept : words).join(' ');
  };
  return {
    own: pairs.map(({ target }) => ({ source: noisy(target), target })),
    both: pairs.map(({ source, target }) => {
      const text = draw() < 0.5 ? `${source} ${target}` : `${target} ${source}`;
      // One side, or half of the words of both: what one lacks has to come from the other.
      if (draw() < 0.5) return { source: draw() < 0.5 ? source : target, target: text };
      const words = text.split(' ');
      const kept = words.filter(() => draw() >= 0.5);
      return { source: (kept.length > 0 ? kept : words).join(' '), target: text };
    }),
  };
}
