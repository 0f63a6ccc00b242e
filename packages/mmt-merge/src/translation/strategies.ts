/**
 * Which adapters are trained for which directions, and which one translates what: the strategies of arXiv 2502.11223 as data.
 */

import { fail } from '@heddle/core';

/** A direction between English and another language: `de-en`, `en-de`. */
export type DirectionName = string;

/** Languages beside English, by the group that they are trained in. */
export type Groups = Readonly<Record<string, readonly string[]>>;

/** One adapter: its name says what it is for, so the same one of two strategies is trained once. */
export interface TranslationModule {
  readonly name: string;
  readonly directions: readonly DirectionName[];
  /** Modules that are merged into it; none: it is trained. */
  readonly merged?: readonly string[];
}

/**
 * - `separate`: one for each direction
 * - `multilingual`: one for all languages into English, one for all out of it
 * - `group`: one for each group and way
 * - `direction-aware`: separate into English, by group out of it (DAT)
 * - `merged`: direction-aware, with those into English merged by group (DATM)
 */
export type StrategyName = 'separate' | 'multilingual' | 'group' | 'direction-aware' | 'merged';

export const strategies: readonly StrategyName[] = ['separate', 'multilingual', 'group', 'direction-aware', 'merged'];

/** @returns the language that is not English, and the way; @throws E_DIRECTION for English on both sides or on neither */
export function directionOf(name: DirectionName): { readonly language: string; readonly way: 'into' | 'out-of' } {
  const [from, to, ...more] = name.split('-');
  if (!from || !to || more.length > 0 || (from === 'en') === (to === 'en'))
    return fail('E_DIRECTION', `direction '${name}': expected English on one side, such as de-en or en-de, received ${from === 'en' && to === 'en' ? 'it on both' : 'another'}. Correct it.`, { name }); // prettier-ignore
  return from === 'en' ? { language: to, way: 'out-of' } : { language: from, way: 'into' };
}

const into = (language: string): DirectionName => `${language}-en`;
const outOf = (language: string): DirectionName => `en-${language}`;

/** The group that a language is in. */
export const groupIn = (groups: Groups, language: string): string =>
  Object.keys(groups).find(group => groups[group]!.includes(language))!;

/** @throws E_GROUPS for none, for an empty one, and for English or a language in two */
export function checkGroups(groups: Groups): void {
  const seen = new Map<string, string>();
  const refuse = (what: string, details: Record<string, unknown>): never =>
    fail('E_GROUPS', `groups: ${what}`, details);
  if (Object.keys(groups).length === 0) refuse('expected at least one, received none. Name some.', {});
  for (const [group, languages] of Object.entries(groups)) {
    if (!/^[\w.-]+$/.test(group)) refuse(`expected a name of letters, digits, ., _ and -, received '${group}'. Rename it.`, { group }); // prettier-ignore
    if (languages.length === 0) refuse(`${group}: expected at least one language, received none. Name some, or leave the group out.`, { group }); // prettier-ignore
    for (const language of languages) {
      if (language === 'en') refuse(`${group}: expected languages beside English, received it too. Leave it out: it is on one side of every direction.`, { group }); // prettier-ignore
      const other = seen.get(language);
      if (other !== undefined) refuse(`expected each language in one, received '${language}' in ${other} and ${group}. Leave it out of one.`, { language, groups: [other, group] }); // prettier-ignore
      seen.set(language, group);
    }
  }
}

/** @throws E_GROUPS */
export function modulesOf(strategy: StrategyName, groups: Groups): readonly TranslationModule[] {
  checkGroups(groups);
  const all = Object.values(groups).flat();
  const each = (name: (language: string) => string): readonly TranslationModule[] =>
    all.map(language => ({ name: name(language), directions: [name(language)] }));
  const grouped = (way: 'into' | 'out-of'): readonly TranslationModule[] =>
    Object.entries(groups).map(([group, languages]) => ({
      name: way === 'into' ? `${group}-en` : `en-${group}`,
      directions: languages.map(way === 'into' ? into : outOf),
    }));
  switch (strategy) {
    case 'separate':
      return [...each(into), ...each(outOf)];
    case 'multilingual':
      return [
        { name: 'all-en', directions: all.map(into) },
        { name: 'en-all', directions: all.map(outOf) },
      ];
    case 'group':
      return [...grouped('into'), ...grouped('out-of')];
    case 'direction-aware':
      return [...each(into), ...grouped('out-of')];
    case 'merged':
      return [
        ...grouped('into').map(module => ({ ...module, name: `merged-${module.name}`, merged: module.directions })),
        ...grouped('out-of'),
      ];
  }
}

/** The row of an adapter for few languages. */
export const fewName = (n: number | ''): string => `multilingual of ${n}`;

/** One adapter each way for the first n languages, taken from all groups in turn. */
export function modulesOfFew(groups: Groups, n: number): readonly TranslationModule[] {
  const each = Object.values(groups);
  const inTurn = Array.from({ length: Math.max(...each.map(({ length }) => length)) }, (_, at) =>
    each.flatMap(languages => languages.slice(at, at + 1)),
  ).flat();
  const chosen = inTurn.slice(0, n);
  return [
    { name: `all${n}-en`, directions: chosen.map(into) },
    { name: `en-all${n}`, directions: chosen.map(outOf) },
  ];
}

/** Which module translates a direction. */
export type Routing = Readonly<Record<DirectionName, string>>;

/** @throws E_ROUTE for a direction that two modules translate, and for one of `wanted` that none does */
export function routingOf(modules: readonly TranslationModule[], wanted: readonly DirectionName[] = []): Routing {
  const routing: Record<DirectionName, string> = {};
  for (const { name, directions } of modules)
    for (const direction of directions) {
      directionOf(direction);
      if (Object.hasOwn(routing, direction))
        fail('E_ROUTE', `routing: expected one module for ${direction}, received ${routing[direction]} and ${name}. Leave it out of one.`, { direction, modules: [routing[direction], name] }); // prettier-ignore
      routing[direction] = name;
    }
  for (const direction of wanted) moduleFor(routing, direction);
  return routing;
}

/** @throws E_DIRECTION, E_ROUTE */
export function moduleFor(routing: Routing, direction: DirectionName): string {
  directionOf(direction);
  return Object.hasOwn(routing, direction)
    ? routing[direction]!
    : fail('E_ROUTE', `routing: expected a module for ${direction}, received those of ${Object.keys(routing).join(', ') || 'none'}. Train one for it, or ask for another language.`, { direction }); // prettier-ignore
}
