import { expect, it } from 'vitest';
import { directions, floresCodes, groupOf, languageGroups } from './languages.js';

it('eight groups of 7, 6, 5, 6, 6, 6, 5 and 8 languages make 98 directions', () => {
  expect(Object.values(languageGroups).map(group => group.length)).toEqual([7, 6, 5, 6, 6, 6, 5, 8]);
  const all = Object.values(languageGroups).flat();
  expect(new Set([...all, 'en'])).toEqual(new Set(Object.keys(floresCodes)));
  expect(new Set([...directions.intoEnglish, ...directions.outOfEnglish]).size).toBe(98);
  for (const [group, languages] of Object.entries(languageGroups))
    for (const language of languages) expect(groupOf(language)).toBe(group);
});
