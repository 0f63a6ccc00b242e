/** What a run of `heddle multilingual` is told: languages in groups, where their pairs come from, how large, how long. */

import { fail, type CommandCall } from '@heddle/core';
import { checkGroups, type ChainMerge, type Groups } from '@heddle/mmt-merge';
import { numberOption } from '../numbers.js';

export interface MultilingualSettings {
  readonly groups: Groups;
  /** Corpora by language, as `corpusFrom` of @heddle/text names them, from English to it. */
  readonly pairs: Readonly<Record<string, string>>;
  /** Tables that are tested with, too: a column for each language. By the name that their scores get. */
  readonly testSets: Readonly<Record<string, string>>;
  /** Numbers of languages that are trained together, beside all. */
  readonly counts: readonly number[];
  readonly merges: readonly (keyof typeof knownMerges)[];
  /** Merges that are tried for each group, beside those that are named; 0: none. */
  readonly search: number;
  /** Whether a module is an adapter, or all of the model tuned further. */
  readonly tuning: 'lora' | 'full';
  readonly rank: number;
  /** An encoder-decoder is told a direction by a tag before the source, a decoder by ALMA's prompt. */
  readonly architecture: 'encoder-decoder' | 'decoder';
  /** A part by its name. */
  readonly attention: string;
  readonly width: number;
  readonly depth: number;
  /** Kinds of token. */
  readonly vocabulary: number;
  /** The most tokens of a batch, either side. */
  readonly tokens: number;
  /** How languages of unequal size are drawn where several are learnt: see `Mixture` of @heddle/text. */
  readonly temperature: number;
  readonly most: number | null;
  /** In how many languages an English text is learnt as a target, where one adapter learns several; null: in all that have it. */
  readonly englishRepeats: number | null;
  readonly baseSteps: number;
  /** For each direction that an adapter learns. */
  readonly steps: number;
  readonly rate: number;
  readonly baseRate: number;
  /** Sentences of a direction that are translated for its score. */
  readonly test: number;
  readonly seed: number;
  /** Processes for stages that do not wait for each other; null: as many as the machine can have. */
  readonly processes: number | null;
}

/** Nobody said which: two families of made-up languages, which every machine has, and which minutes can teach. */
const usualGroups: Groups = { first: ['xa1', 'xa2', 'xa3'], second: ['xb1', 'xb2', 'xb3'] };

const isMadeUp = (language: string): boolean => /^x[a-z][1-9]$/.test(language);

/** Sentences of Heddle's grammar for made-up languages, messages of the machine for others. */
const usualPairs = (language: string): string =>
  isMadeUp(language) ? `grammar:en-${language}:3000` : `catalogs:en-${language}`;

/** The reference engine is a thousand times slower: of what nobody chose, it gets a job of the same stages that ends. */
export const forReference = (
  settings: MultilingualSettings,
  { options }: Pick<CommandCall, 'options'>,
): MultilingualSettings => {
  const chosen = ['baseSteps', 'steps', 'width', 'depth', 'tokens', 'vocabulary'].some(
    name => options[name] !== undefined,
  );
  return chosen
    ? settings
    : {
        ...settings,
        baseSteps: 2,
        steps: 1,
        width: 8,
        depth: 1,
        tokens: 64,
        vocabulary: 600,
        test: 4,
        rank: 2,
        merges: ['ties'],
      };
};

/** What `search` looks for, for each group anew; the middle is `ties`. */
export const searchedMerge = (budget: number): ChainMerge => ({
  method: 'ties',
  search: { space: { weight: [0, 2], density: [0.1, 0.9] }, budget },
});

/** Values of recipes; densities as the methods' papers and mergekit's examples have them. */
export const knownMerges = {
  linear: { method: 'linear', each: { weight: 1 } },
  ties: { method: 'ties', each: { weight: 1, density: 0.5 } },
  'ties-factors': { method: 'ties', each: { weight: 1, density: 0.5 }, mode: 'factors' },
  'dare-ties': { method: 'dare_ties', each: { weight: 1, density: 0.5 } },
} as const satisfies Readonly<Record<string, ChainMerge>>;

/** @throws E_OPTION, E_GROUPS */
export function readMultilingualSettings({ options }: Pick<CommandCall, 'options'>): MultilingualSettings {
  const listed = (name: string): readonly (readonly [string, string])[] =>
    ((options[name] ?? []) as readonly string[]).map(item => {
      const at = item.indexOf('=');
      return at < 1 || at === item.length - 1
        ? fail('E_OPTION', `${name}: expected NAME=VALUE, received ${JSON.stringify(item)}. Correct it.`, {
            name,
            item,
          })
        : [item.slice(0, at), item.slice(at + 1)];
    });
  const said = Object.fromEntries(listed('groups').map(([group, languages]) => [group, languages.split(',')]));
  const groups = Object.keys(said).length > 0 ? said : usualGroups;
  checkGroups(groups);
  const architecture = options['architecture'] ?? 'encoder-decoder';
  if (architecture !== 'encoder-decoder' && architecture !== 'decoder')
    return fail('E_OPTION', `architecture: expected encoder-decoder or decoder, received ${JSON.stringify(architecture)}.`, { architecture }); // prettier-ignore
  const tuning = options['tuning'] ?? 'lora';
  if (tuning !== 'lora' && tuning !== 'full')
    return fail('E_OPTION', `tuning: expected lora or full, received ${JSON.stringify(tuning)}.`, { tuning });
  // Whole models have no factors.
  const possible = Object.keys(knownMerges).filter(name => tuning === 'lora' || name !== 'ties-factors');
  const merges = typeof options['merges'] === 'string' ? options['merges'].split(',') : possible;
  const odd = merges.find(name => !possible.includes(name));
  if (odd !== undefined)
    fail('E_OPTION', `merges: expected some of ${possible.join(', ')}, received '${odd}'.`, { odd });
  const counts = typeof options['counts'] === 'string' ? options['counts'].split(',').map(Number) : [];
  const most = Object.values(groups).flat().length - 1;
  if (!counts.every(n => Number.isSafeInteger(n) && n >= 2 && n <= most))
    fail('E_OPTION', `counts: expected numbers of languages from 2 to ${most}, all alone is always done, received '${String(options['counts'])}'.`, { counts }); // prettier-ignore
  const count = (name: string, least: number, otherwise: number): number =>
    numberOption(options, name, { least, most: 2 ** 31 - 1, whole: true, default: otherwise });
  const languages = Object.values(groups).flat();
  const own = Object.fromEntries(listed('pairs'));
  for (const language of Object.keys(own))
    if (!languages.includes(language))
      fail('E_OPTION', `pairs: expected languages of the groups, ${languages.join(', ')}, received '${language}'.`, { language }); // prettier-ignore
  return {
    groups,
    pairs: Object.fromEntries(languages.map(language => [language, own[language] ?? usualPairs(language)])),
    testSets: Object.fromEntries(listed('testSets')),
    counts,
    merges: merges as MultilingualSettings['merges'],
    search: count('search', 0, 0),
    tuning,
    rank: count('rank', 1, 16),
    architecture,
    attention: typeof options['attention'] === 'string' ? options['attention'] : 'emha',
    width: count('width', 8, 128),
    depth: count('depth', 1, 2),
    vocabulary: count('vocabulary', 300, languages.every(isMadeUp) ? 1000 : 4000),
    tokens: count('tokens', 32, 1536),
    temperature: numberOption(options, 'temperature', { least: 1, default: 5 }),
    most: options['most'] === undefined ? null : numberOption(options, 'most', { least: 1, default: 1 }),
    englishRepeats: options['englishRepeats'] === undefined ? null : count('englishRepeats', 1, 1),
    baseSteps: count('baseSteps', 1, 300),
    steps: count('steps', 1, 40),
    rate: numberOption(options, 'rate', { least: 1e-9, default: 0.01 }),
    baseRate: numberOption(options, 'baseRate', { least: 1e-9, default: 0.003 }),
    test: count('test', 2, 40),
    seed: count('seed', 0, 0),
    processes: options['processes'] === undefined ? null : count('processes', 1, 1),
  };
}
