/**
 * Porter's stemmer (Porter 1980) with the extensions of NLTK's default mode, which Google's rouge_score uses: irregular
 * forms, `ies` and `ied` after one letter, `y` after any consonant, `bli`, `fulli` and `logi`.
 */

/** @param word lower-case letters and digits */
export function porterStem(word: string): string {
  const irregular = irregularForms.get(word);
  if (irregular !== undefined) return irregular;
  if (word.length <= 2) return word;
  let stem = withoutPlural(word);
  stem = withoutPast(stem);
  if (stem.length > 2 && stem.endsWith('y') && isConsonant(stem, stem.length - 2)) stem = `${stem.slice(0, -1)}i`;
  stem = withoutDouble(stem);
  stem = applied(step3, stem, part => measure(part) > 0);
  stem = applied(step4, stem, (part, suffix) => measure(part) > 1 && (suffix !== 'ion' || /[st]$/.test(part)));
  return withoutEnd(stem);
}

const irregularForms: ReadonlyMap<string, string> = /* @__PURE__ */ new Map([
  ['sky', 'sky'],
  ['skies', 'sky'],
  ['dying', 'die'],
  ['lying', 'lie'],
  ['tying', 'tie'],
  ['news', 'news'],
  ['innings', 'inning'],
  ['inning', 'inning'],
  ['outings', 'outing'],
  ['outing', 'outing'],
  ['cannings', 'canning'],
  ['canning', 'canning'],
  ['howe', 'howe'],
  ['proceed', 'proceed'],
  ['exceed', 'exceed'],
  ['succeed', 'succeed'],
]);

/** Suffix and what takes its place. The first suffix that fits decides, whether its condition holds or not. */
type Rules = readonly (readonly [suffix: string, replacement: string])[];

const step2: Rules = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['fulli', 'ful'],
  ['logi', 'log'],
];

const step3: Rules = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

const step4: Rules = [
  'al',
  'ance',
  'ence',
  'er',
  'ic',
  'able',
  'ible',
  'ant',
  'ement',
  'ment',
  'ent',
  'ion',
  'ou',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
].map(suffix => [suffix, ''] as const);

function applied(rules: Rules, word: string, holds: (stem: string, suffix: string) => boolean): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const stem = word.slice(0, word.length - suffix.length);
    return holds(stem, suffix) ? stem + replacement : word;
  }
  return word;
}

/** Step 1a. */
function withoutPlural(word: string): string {
  if (word.endsWith('ies')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('sses')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

/** Step 1b. */
function withoutPast(word: string): string {
  if (word.endsWith('ied')) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ['ed', 'ing'].find(one => word.endsWith(one) && hasVowel(word.slice(0, -one.length)));
  if (suffix === undefined) return word;
  const stem = word.slice(0, -suffix.length);
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (endsDouble(stem)) return /[lsz]$/.test(stem) ? stem : stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

/** Step 2; `alli` is taken off first, and what remains looked at again. */
function withoutDouble(word: string): string {
  if (word.endsWith('alli') && measure(word.slice(0, -4)) > 0) return withoutDouble(word.slice(0, -2));
  // The `l` of `logi` counts as part of the stem, so that `geologi` has one.
  return applied(step2, word, (stem, suffix) => measure(suffix === 'logi' ? `${stem}l` : stem) > 0);
}

/** Step 5. */
function withoutEnd(word: string): string {
  let stem = word;
  if (word.endsWith('e')) {
    const part = word.slice(0, -1);
    const size = measure(part);
    if (size > 1 || (size === 1 && !endsShort(part))) stem = part;
  }
  return stem.endsWith('ll') && measure(stem.slice(0, -1)) > 1 ? stem.slice(0, -1) : stem;
}

const vowels = 'aeiou';

/** `y` is a consonant at the start and after a vowel. */
function isConsonant(word: string, at: number): boolean {
  if (vowels.includes(word[at]!)) return false;
  if (word[at] !== 'y') return true;
  let first = at;
  while (first > 0 && word[first] === 'y') first--;
  return !vowels.includes(word[first]!) === ((at - first) % 2 === 0);
}

/** How many times a vowel is followed by a consonant. */
function measure(stem: string): number {
  let count = 0;
  let before = true;
  for (let at = 0; at < stem.length; at++) {
    const consonant: boolean = stem[at] === 'y' ? at === 0 || !before : !vowels.includes(stem[at]!);
    if (consonant && !before) count++;
    before = consonant;
  }
  return count;
}

function hasVowel(stem: string): boolean {
  for (let at = 0; at < stem.length; at++) if (!isConsonant(stem, at)) return true;
  return false;
}

const endsDouble = (word: string): boolean =>
  word.length >= 2 && word.at(-1) === word.at(-2) && isConsonant(word, word.length - 1);

/** Consonant, vowel, consonant other than w, x and y; or a vowel and a consonant that are all there is. */
function endsShort(word: string): boolean {
  const { length } = word;
  if (length === 2) return !isConsonant(word, 0) && isConsonant(word, 1);
  return (
    length >= 3 &&
    isConsonant(word, length - 3) &&
    !isConsonant(word, length - 2) &&
    isConsonant(word, length - 1) &&
    !/[wxy]$/.test(word)
  );
}
