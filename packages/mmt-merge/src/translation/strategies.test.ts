/** Strategies and routing against counts of the paper and properties; prompts and masks against the reference's words. */

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { languageGroups } from '../languages.js';
import { languageNames, promptRow, translationPrompt } from './prompt.js';
import { directionOf, moduleFor, modulesOf, routingOf, strategies, type Groups } from './strategies.js';

const anyGroups = fc
  .uniqueArray(fc.constantFrom(...Object.values(languageGroups).flat()), { minLength: 1, maxLength: 20 })
  .chain(languages =>
    fc.array(fc.nat(3), { minLength: languages.length, maxLength: languages.length }).map((at): Groups => {
      const groups: Record<string, string[]> = {};
      languages.forEach((language, i) => (groups[`g${at[i]}`] ??= []).push(language));
      return groups;
    }),
  );

describe('strategies', () => {
  it('have as many modules as the paper says, of fifty languages in eight groups', () => {
    const counts = Object.fromEntries(strategies.map(name => [name, modulesOf(name, languageGroups).length]));
    expect(counts).toEqual({ separate: 98, multilingual: 2, group: 16, 'direction-aware': 49 + 8, merged: 16 });
  });

  it('translate every direction by exactly one module, whatever the groups', () => {
    fc.assert(
      fc.property(anyGroups, fc.constantFrom(...strategies), (groups, strategy) => {
        const languages = Object.values(groups).flat();
        const wanted = languages.flatMap(language => [`${language}-en`, `en-${language}`]);
        const modules = modulesOf(strategy, groups);
        const routing = routingOf(modules, wanted);
        expect(Object.keys(routing).sort()).toEqual([...wanted].sort());
        for (const direction of wanted)
          expect(modules.find(({ name }) => name === moduleFor(routing, direction))!.directions).toContain(direction);
        expect(new Set(modules.map(({ name }) => name)).size).toBe(modules.length);
      }),
    );
  });

  it('share modules of one name, which are for the same directions', () => {
    fc.assert(
      fc.property(anyGroups, groups => {
        const byName = new Map<string, string>();
        for (const strategy of strategies)
          for (const { name, directions } of modulesOf(strategy, groups)) {
            expect(byName.get(name) ?? directions.join()).toBe(directions.join());
            byName.set(name, directions.join());
          }
        const trained = new Set(strategies.flatMap(name => modulesOf(name, groups)).filter(({ merged }) => !merged).map(({ name }) => name)); // prettier-ignore
        for (const { merged = [] } of modulesOf('merged', groups))
          for (const part of merged) expect(trained.has(part)).toBe(true);
      }),
    );
  });

  it.each([
    [{}, /at least one, received none/],
    [{ a: [] }, /a: expected at least one language/],
    [{ a: ['de', 'en'] }, /beside English/],
    [{ a: ['de'], b: ['fr', 'de'] }, /'de' in a and b/],
    [{ '../a': ['de'] }, /letters, digits/],
  ])('refuse groups %j', (groups, message) => {
    expect(() => modulesOf('group', groups as Groups)).toThrow(expect.objectContaining({ code: 'E_GROUPS', message: expect.stringMatching(message) })); // prettier-ignore
  });

  it('refuse directions without English, or with nothing else, and routes that nobody takes', () => {
    for (const name of ['de-fr', 'en-en', 'de', 'en-', 'en-de-fr'])
      expect(() => directionOf(name)).toThrow(expect.objectContaining({ code: 'E_DIRECTION' }));
    const routing = routingOf(modulesOf('group', { a: ['de'] }));
    expect(() => moduleFor(routing, 'en-fr')).toThrow(expect.objectContaining({ code: 'E_ROUTE' }));
    expect(() => routingOf(modulesOf('group', { a: ['de'] }), ['fr-en'])).toThrow(/expected a module for fr-en/);
    const twice = [{ name: 'x', directions: ['de-en'] }, { name: 'y', directions: ['de-en'] }]; // prettier-ignore
    expect(() => routingOf(twice)).toThrow(/received x and y/);
    expect(() => moduleFor(routing, 'toString-en')).toThrow(expect.objectContaining({ code: 'E_ROUTE' }));
  });
});

describe('prompts', () => {
  it('are those of ALMA', () => {
    expect(translationPrompt('Guten Tag', 'de-en')).toBe(
      'Translate this from German to English:\nGerman: Guten Tag\nEnglish:',
    );
    expect(translationPrompt('Hello', 'en-is')).toBe(
      'Translate this from English to Icelandic:\nEnglish: Hello\nIcelandic:',
    );
    expect(() => translationPrompt('x', 'en-tlh')).toThrow(expect.objectContaining({ code: 'E_LANGUAGE' }));
    expect(translationPrompt('x', 'en-tlh', { tlh: 'Klingon' })).toContain('to Klingon:');
    expect(Object.keys(languageNames).sort()).toEqual(['en', ...Object.values(languageGroups).flat()].sort());
  });

  it('are learnt from their target on; one token earlier as the reference does', () => {
    const { ids, learnt } = promptRow([5, 6, 7], [8, 9], { begin: 1, end: 2 });
    expect(ids).toEqual([1, 5, 6, 7, 8, 9, 2]);
    expect(learnt).toEqual([0, 0, 0, 0, 1, 1, 1]);
    expect(promptRow([5, 6, 7], [8, 9], { begin: 1, end: 2, asReference: true }).learnt).toEqual([0, 0, 0, 1, 1, 1, 1]);
  });
});
