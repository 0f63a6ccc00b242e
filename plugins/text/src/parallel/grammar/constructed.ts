/**
 * Languages made up: `xa1`, `xa2` … of one family, `xb1` … of another, up to `xz9`. A family shares roots, word order and affixes; each
 * of its languages has sounds of its own. So how alike languages are is known, and there are as many as an experiment needs.
 */

import { streamOf, uniforms } from '@heddle/core';
import type { Meaning, Phrase } from './sentences.js';

/** Family and number of a made-up language; null for other names. */
export function constructedOf(name: string): { readonly family: number; readonly member: number } | null {
  const [, letter, member] = /^x([a-z])([1-9])$/.exec(name) ?? [];
  return letter === undefined ? null : { family: letter.charCodeAt(0) - 97, member: Number(member) };
}

const consonants = 'ptkbdgmnlrsvfz';
const vowels = 'aeiou';

interface Family {
  /** Where subject, verb and object stand. */
  readonly order: readonly ('subject' | 'verb' | 'object')[];
  readonly adjectiveFirst: boolean;
  /** Before a noun, or at its end. */
  readonly articleFirst: boolean;
  /** At the end of a noun that something is done to; of many; of a verb with many subjects. */
  readonly object: string;
  readonly many: string;
  readonly verbMany: string;
  /** Before the verb, or at its end. */
  readonly futureFirst: boolean;
}

const orders = [
  ['subject', 'verb', 'object'],
  ['subject', 'object', 'verb'],
  ['verb', 'subject', 'object'],
] as const;

/** A number in [0, 1) for anything that is named. */
const drawOf = (...key: readonly (number | string)[]): (() => number) =>
  uniforms(streamOf(key.join('/')) & 0x7fffffff, 11);

const syllable = (draw: () => number): string =>
  consonants[Math.floor(draw() * consonants.length)]! + vowels[Math.floor(draw() * vowels.length)]!;

function familyOf(family: number): Family {
  const draw = drawOf('family', family);
  return {
    // Two families that follow each other differ in it.
    order: orders[family % orders.length]!,
    adjectiveFirst: family % 2 === 0,
    articleFirst: draw() < 0.5,
    object: syllable(draw),
    many: syllable(draw),
    verbMany: syllable(draw),
    futureFirst: draw() < 0.5,
  };
}

/** The family's root of an English word; a member's is that with its sounds. */
const rootOf = (family: number, english: string): string => {
  const draw = drawOf('root', family, english);
  return Array.from({ length: 2 + Math.floor(draw() * 2) }, () => syllable(draw)).join('');
};

/** A consonant and a vowel that a member says otherwise, for good. */
function soundsOf(family: number, member: number): (word: string) => string {
  const draw = drawOf('sounds', family, member);
  const shuffled = (letters: string): string => {
    const all = [...letters];
    for (let i = all.length - 1; i > 0; i--) {
      const j = Math.floor(draw() * (i + 1));
      [all[i], all[j]] = [all[j]!, all[i]!];
    }
    return all.join('');
  };
  const change = (letters: string, count: number): ReadonlyMap<string, string> => {
    const moved = shuffled(letters).slice(0, count);
    return new Map([...moved].map((letter, i) => [letter, moved[(i + 1) % moved.length]!]));
  };
  const changes = new Map([...change(consonants, 5), ...change(vowels, 2)]);
  return word => [...word].map(letter => changes.get(letter) ?? letter).join('');
}

/** The meaning as a sentence of a made-up language. */
export function sayConstructed({
  family,
  member,
}: {
  readonly family: number;
  readonly member: number;
}): (meaning: Meaning) => string {
  const own = familyOf(family);
  const sounds = soundsOf(family, member);
  const known = new Map<string, string>();
  const word = (english: string, ...affixes: readonly string[]): string => {
    const root = known.get(english) ?? rootOf(family, english);
    known.set(english, root);
    return sounds(root + affixes.join(''));
  };
  const phrase = ({ noun, adjective, determiner }: Phrase, isObject: boolean): string => {
    const many = determiner !== 'the' && determiner !== 'a';
    const name = word(noun.en[0], ...(many ? [own.many] : []), ...(isObject ? [own.object] : []));
    const described = adjective
      ? own.adjectiveFirst
        ? [word(adjective.en), name]
        : [name, word(adjective.en)]
      : [name];
    // The many is the article and the noun's own number.
    const article = word(determiner === 'the many' ? 'the' : determiner);
    return (own.articleFirst ? [article, ...described] : [...described, article]).join(' ');
  };
  return meaning => {
    const { subject, verb, object, future, adverbial, first } = meaning;
    const many = subject.determiner !== 'the' && subject.determiner !== 'a';
    const finite = word(verb.en[1], ...(many ? [own.verbMany] : []));
    const parts = {
      subject: phrase(subject, false),
      object: phrase(object, true),
      verb: future ? (own.futureFirst ? [word('will'), finite] : [finite, word('will')]).join(' ') : finite,
    };
    const extra = adverbial ? word(adverbial.en) : null;
    const all = [...(first && extra ? [extra] : []), ...own.order.map(part => parts[part]), ...(!first && extra ? [extra] : [])]; // prettier-ignore
    const text = all.join(' ');
    return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
  };
}
