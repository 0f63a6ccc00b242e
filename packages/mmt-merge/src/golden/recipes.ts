/** Recipes as text and parsed: those that are merges must be read, and mean what mergekit reads in them. */

import { canonicalJson, isHeddleError } from '@heddle/core';
import type { GoldenCase } from '@heddle/core/testing/golden';
import { parseAllDocuments } from 'yaml';
import { readRecipes } from '../recipe/read.js';

interface Stored {
  readonly path: string;
  readonly text: string;
  readonly parsed: unknown;
}

export function* checkRecipes(all: unknown): Iterable<GoldenCase> {
  for (const { path, text, parsed } of all as readonly Stored[]) yield checkRecipe(path, text, parsed);
}

function checkRecipe(path: string, text: string, parsed: unknown): GoldenCase {
  const merge = /^merge_method:/m.test(text) && !text.includes('\n...') && !text.startsWith('genome:');
  try {
    const recipes = readRecipes(text, path);
    if (!merge) return { id: path, passed: false, detail: 'is no recipe of a merge, and was read as one' };
    const found = recipes.map(({ recipe }) => recipe);
    const [expected] = parsed === null ? parseAllDocuments(text).map(document => document.toJS() as unknown) : [parsed];
    const passed =
      parsed === null
        ? found.length === parseAllDocuments(text).length
        : canonicalJson(found[0]) === canonicalJson(expected);
    return { id: path, passed, detail: passed ? `${found.length} documents` : `read as ${canonicalJson(found[0])}` };
  } catch (error) {
    const refused = isHeddleError(error) && error.code === 'E_RECIPE';
    // Fragments, and recipes of other programs of the same family, must be refused with a place.
    const passed = !merge && refused && error.message.startsWith(`${path}`);
    return { id: path, passed, detail: error instanceof Error ? error.message : String(error) };
  }
}
