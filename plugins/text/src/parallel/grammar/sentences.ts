/**
 * A small grammar of English, German and French, in which gender, number, case and word order differ: a meaning is a number,
 * and each language says it.
 */

import { fail } from '@heddle/core';

export const grammarLanguages = ['en', 'de', 'fr'] as const;
export type GrammarLanguage = (typeof grammarLanguages)[number];

/** @throws E_LANGUAGE for one that the grammar does not have */
export const languageOf = (name: string): GrammarLanguage =>
  grammarLanguages.find(one => one === name) ??
  fail(
    'E_LANGUAGE',
    `grammar: expected one of ${grammarLanguages.join(', ')}, or a made-up language from xa1 to xz9, received '${name}'. Take one of these, or a corpus of files.`,
    { language: name },
  );

type Gender = 'm' | 'f' | 'n';

interface Noun {
  readonly en: readonly [one: string, many: string];
  readonly de: readonly [gender: Gender, one: string, many: string];
  readonly fr: readonly [gender: Gender, one: string, many: string];
}

const noun = (en: string, de: string, fr: string): Noun => {
  const [one, many] = en.split(' ') as [string, string];
  return { en: [one, many], de: de.split(' ') as unknown as Noun['de'], fr: fr.split(' ') as unknown as Noun['fr'] };
};

/** Who can do something, and who something can be done to. */
const persons: readonly Noun[] = [
  noun('weaver weavers', 'm Weber Weber', 'm tisserand tisserands'),
  noun('spinner spinners', 'f Spinnerin Spinnerinnen', 'f fileuse fileuses'),
  noun('child children', 'n Kind Kinder', 'm enfant enfants'),
  noun('woman women', 'f Frau Frauen', 'f femme femmes'),
  noun('man men', 'm Mann Männer', 'm homme hommes'),
  noun('painter painters', 'm Maler Maler', 'm peintre peintres'),
  noun('cat cats', 'f Katze Katzen', 'm chat chats'),
  noun('dog dogs', 'm Hund Hunde', 'm chien chiens'),
];

const things: readonly Noun[] = [
  noun('thread threads', 'm Faden Fäden', 'm fil fils'),
  noun('fabric fabrics', 'm Stoff Stoffe', 'f étoffe étoffes'),
  noun('ribbon ribbons', 'n Band Bänder', 'm ruban rubans'),
  noun('basket baskets', 'm Korb Körbe', 'm panier paniers'),
  noun('lamp lamps', 'f Lampe Lampen', 'f lampe lampes'),
  noun('needle needles', 'f Nadel Nadeln', 'f aiguille aiguilles'),
  noun('table tables', 'm Tisch Tische', 'f table tables'),
  noun('book books', 'n Buch Bücher', 'm livre livres'),
  noun('dress dresses', 'n Kleid Kleider', 'f robe robes'),
  noun('coat coats', 'm Mantel Mäntel', 'm manteau manteaux'),
  noun('rope ropes', 'n Seil Seile', 'f corde cordes'),
  noun('knot knots', 'm Knoten Knoten', 'm nœud nœuds'),
];

interface Adjective {
  readonly en: string;
  /** Without its ending. */
  readonly de: string;
  /** Masculine, feminine. */
  readonly fr: readonly [string, string];
}

const ofPersons: readonly Adjective[] = [
  { en: 'cheerful', de: 'fröhlich', fr: ['joyeux', 'joyeuse'] },
  { en: 'quiet', de: 'still', fr: ['calme', 'calme'] },
  { en: 'tired', de: 'müd', fr: ['fatigué', 'fatiguée'] },
  { en: 'patient', de: 'geduldig', fr: ['patient', 'patiente'] },
  { en: 'skilful', de: 'geschickt', fr: ['habile', 'habile'] },
];

const ofThings: readonly Adjective[] = [
  { en: 'red', de: 'rot', fr: ['rouge', 'rouge'] },
  { en: 'green', de: 'grün', fr: ['vert', 'verte'] },
  { en: 'grey', de: 'grau', fr: ['gris', 'grise'] },
  { en: 'heavy', de: 'schwer', fr: ['lourd', 'lourde'] },
  { en: 'long', de: 'lang', fr: ['long', 'longue'] },
  { en: 'short', de: 'kurz', fr: ['court', 'courte'] },
  { en: 'solid', de: 'fest', fr: ['solide', 'solide'] },
  { en: 'precious', de: 'kostbar', fr: ['précieux', 'précieuse'] },
];

interface Verb {
  readonly en: readonly [one: string, many: string];
  /** The form of many is the infinitive. */
  readonly de: readonly [one: string, many: string];
  readonly fr: readonly [one: string, many: string, infinitive: string];
}

const verbs: readonly Verb[] = [
  { en: ['sees', 'see'], de: ['sieht', 'sehen'], fr: ['voit', 'voient', 'voir'] },
  { en: ['carries', 'carry'], de: ['trägt', 'tragen'], fr: ['porte', 'portent', 'porter'] },
  { en: ['finds', 'find'], de: ['findet', 'finden'], fr: ['trouve', 'trouvent', 'trouver'] },
  { en: ['buys', 'buy'], de: ['kauft', 'kaufen'], fr: ['achète', 'achètent', 'acheter'] },
  { en: ['sells', 'sell'], de: ['verkauft', 'verkaufen'], fr: ['vend', 'vendent', 'vendre'] },
  { en: ['draws', 'draw'], de: ['zeichnet', 'zeichnen'], fr: ['dessine', 'dessinent', 'dessiner'] },
  { en: ['cleans', 'clean'], de: ['putzt', 'putzen'], fr: ['nettoie', 'nettoient', 'nettoyer'] },
  { en: ['seeks', 'seek'], de: ['sucht', 'suchen'], fr: ['cherche', 'cherchent', 'chercher'] },
  { en: ['holds', 'hold'], de: ['hält', 'halten'], fr: ['tient', 'tiennent', 'tenir'] },
  { en: ['brings', 'bring'], de: ['bringt', 'bringen'], fr: ['apporte', 'apportent', 'apporter'] },
  { en: ['lifts', 'lift'], de: ['hebt', 'heben'], fr: ['lève', 'lèvent', 'lever'] },
];

const adverbials: readonly Readonly<Record<GrammarLanguage, string>>[] = [
  { en: 'today', de: 'heute', fr: "aujourd'hui" },
  { en: 'here', de: 'hier', fr: 'ici' },
  { en: 'every day', de: 'jeden Tag', fr: 'chaque jour' },
  { en: 'in the evening', de: 'am Abend', fr: 'le soir' },
  { en: 'in the garden', de: 'im Garten', fr: 'dans le jardin' },
  { en: 'at the window', de: 'am Fenster', fr: 'à la fenêtre' },
  { en: 'after the rain', de: 'nach dem Regen', fr: 'après la pluie' },
];

const determiners = ['the', 'a', 'the many', 'two', 'some'] as const;

export interface Phrase {
  readonly noun: Noun;
  readonly adjective: Adjective | null;
  readonly determiner: (typeof determiners)[number];
}

export interface Meaning {
  readonly subject: Phrase;
  readonly verb: Verb;
  readonly object: Phrase;
  readonly future: boolean;
  readonly adverbial: Readonly<Record<GrammarLanguage, string>> | null;
  readonly first: boolean;
  /** The verb does not go with its subject: a mistake, for corrections. */
  readonly disagrees?: boolean;
}

const subjects = persons.length * (ofPersons.length + 1) * determiners.length;
const objects = subjects + things.length * (ofThings.length + 1) * determiners.length;
const manners = 1 + 2 * adverbials.length;

/** Sentences that differ in meaning. */
export const grammarMeanings: number = subjects * objects * verbs.length * 2 * manners;

export function meaningOf(number: number): Meaning {
  let rest = number;
  const take = (size: number): number => {
    const digit = rest % size;
    rest = Math.floor(rest / size);
    return digit;
  };
  const subject = phraseOf(take(subjects));
  const object = phraseOf(take(objects));
  const verb = verbs[take(verbs.length)]!;
  const future = take(2) === 1;
  const manner = take(manners);
  return {
    subject,
    object,
    verb,
    future,
    adverbial: manner === 0 ? null : adverbials[(manner - 1) >> 1]!,
    first: manner % 2 === 1,
  };
}

/** The first are of persons. */
function phraseOf(number: number): Phrase {
  const person = number < subjects;
  const [nouns, adjectives] = person ? [persons, ofPersons] : [things, ofThings];
  let rest = person ? number : number - subjects;
  const determiner = determiners[rest % determiners.length]!;
  rest = Math.floor(rest / determiners.length);
  const adjective = adjectives[rest % (adjectives.length + 1)] ?? null;
  return { determiner, adjective, noun: nouns[Math.floor(rest / (adjectives.length + 1))]! };
}

const isMany = ({ determiner }: Phrase): boolean => determiner !== 'the' && determiner !== 'a';

/** The form of the verb: 0 for one, 1 for many. */
const formOf = ({ subject, disagrees = false }: Meaning): 0 | 1 => (isMany(subject) !== disagrees ? 1 : 0);

const sentence = (...words: readonly (string | null)[]): string => {
  const text = words.filter(word => word !== null && word !== '').join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
};

function english(phrase: Phrase): string {
  const { noun: own, adjective, determiner } = phrase;
  const article = determiner === 'the many' ? 'the' : determiner;
  return [article, adjective?.en, own.en[isMany(phrase) ? 1 : 0]].filter(word => word !== undefined).join(' ');
}

/** Articles of the nominative; of the accusative only the masculine differs. */
const germanArticles = {
  the: { m: 'der', f: 'die', n: 'das' },
  a: { m: 'ein', f: 'eine', n: 'ein' },
} as const;

function german(phrase: Phrase, accusative: boolean): string {
  const { noun: own, adjective, determiner } = phrase;
  const [gender, one, many] = own.de;
  const masculine = accusative && gender === 'm';
  if (determiner === 'the' || determiner === 'a') {
    const nominative = germanArticles[determiner][gender];
    const article = masculine ? (determiner === 'the' ? 'den' : 'einen') : nominative;
    const ending = masculine ? 'en' : determiner === 'the' ? 'e' : { m: 'er', f: 'e', n: 'es' }[gender];
    return [article, ...(adjective ? [`${adjective.de}${ending}`] : []), one].join(' ');
  }
  const article = { 'the many': 'die', two: 'zwei', some: 'einige' }[determiner];
  const ending = determiner === 'the many' ? 'en' : 'e';
  return [article, ...(adjective ? [`${adjective.de}${ending}`] : []), many].join(' ');
}

function french(phrase: Phrase): string {
  const { noun: own, adjective, determiner } = phrase;
  const [gender, one, many] = own.fr;
  const plural = isMany(phrase);
  const name = plural ? many : one;
  const elided = determiner === 'the' && /^[aeéhio]/.test(name);
  const article = {
    the: gender === 'f' ? 'la ' : 'le ',
    a: gender === 'f' ? 'une ' : 'un ',
    'the many': 'les ',
    two: 'deux ',
    some: 'quelques ',
  }[determiner];
  const form = adjective?.fr[gender === 'f' ? 1 : 0];
  const agreed = form === undefined ? '' : ` ${form}${plural && !/[sx]$/.test(form) ? 's' : ''}`;
  return `${elided ? "l'" : article}${name}${agreed}`;
}

/** The meaning as a sentence of each language. */
export const say: Readonly<Record<GrammarLanguage, (meaning: Meaning) => string>> = {
  en(meaning) {
    const { subject, verb, object, future, adverbial, first } = meaning;
    const predicate = future ? `will ${verb.en[meaning.disagrees ? 0 : 1]}` : verb.en[formOf(meaning)];
    const extra = adverbial?.en ?? null;
    return sentence(first ? extra : null, english(subject), predicate, english(object), first ? null : extra);
  },
  // The finite verb stands second, an infinitive last.
  de(meaning) {
    const { subject, verb, object, future, adverbial, first } = meaning;
    const many = formOf(meaning);
    const finite = future ? ['wird', 'werden'][many]! : verb.de[many];
    const [who, what, extra] = [german(subject, false), german(object, true), adverbial?.de ?? null];
    const start = first && extra !== null ? [extra, finite, who] : [who, finite, extra];
    return sentence(...start, what, future ? verb.de[1] : null);
  },
  fr(meaning) {
    const { subject, verb, object, future, adverbial, first } = meaning;
    const many = formOf(meaning);
    const predicate = future ? `${['va', 'vont'][many]!} ${verb.fr[2]}` : verb.fr[many]!;
    const extra = adverbial?.fr ?? null;
    return sentence(first ? extra : null, french(subject), predicate, french(object), first ? null : extra);
  },
};

/** What someone does, twice, in one sentence and no more words than needed. */
export function sayBoth(language: GrammarLanguage, first: Meaning, second: Meaning): string {
  const bare = (phrase: Phrase): Phrase => ({ ...phrase, adjective: null });
  const subject = bare(first.subject);
  const form = formOf({ ...first, disagrees: false });
  const [a, b] = [first, second].map(({ verb, object }) =>
    language === 'de'
      ? `${verb.de[form]} ${german(bare(object), true)}`
      : `${verb[language][form]!} ${language === 'en' ? english(bare(object)) : french(bare(object))}`,
  );
  const who = { en: english, de: (phrase: Phrase) => german(phrase, false), fr: french }[language](subject);
  return sentence(who, a!, { en: 'and', de: 'und', fr: 'et' }[language], b!);
}
