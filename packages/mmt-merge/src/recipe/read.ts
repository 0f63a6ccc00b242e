/** Recipes in YAML, with the line and column of what is wrong. */

import { fail } from '@heddle/core';
import { isMap, isScalar, LineCounter, parseAllDocuments, type Document, type Node } from 'yaml';
import { checkRecipe, type Locate, type Path } from './check.js';
import type { Recipe } from './recipe.js';
import { titleOf } from './reference.js';

/** A recipe and where its parts stand. */
export interface Sourced {
  readonly recipe: Recipe;
  readonly at: Locate;
}

/** Recipes are written by people; more than this is something else. Bytes. */
const longest = 4_000_000;

/**
 * Reads the documents of a file, each a recipe; `---` stands between them.
 *
 * @param name of the file, for messages
 * @returns the recipes in an order in which every one comes after those whose result it uses; the last is the result
 * @throws E_RECIPE with the place, `name:line:column`
 */
export function readRecipes(text: string, name = 'recipe'): readonly Sourced[] {
  if (text.length > longest)
    fail('E_RECIPE', `${name}: expected a recipe, received ${text.length} characters. Check the file.`, { name });
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, strict: true });
  if (!Array.isArray(documents) || documents.length === 0)
    return fail('E_RECIPE', `${name}: expected at least one document, received none. Write a recipe.`, { name });
  const recipes = documents.map((document): Sourced => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      fail('E_RECIPE', `${name}:${line}:${col}: expected YAML, received ${firstLine(error.message)}. Correct the text there.`, { name, line, column: col }); // prettier-ignore
    }
    const at = locator(document, lines, name);
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 }) as unknown;
    } catch (cause) {
      return fail('E_RECIPE', `${name}: expected aliases that can be resolved, received ${firstLine(String(cause))}. Write them out.`, { name }, cause); // prettier-ignore
    }
    return { recipe: checkRecipe(value, at), at };
  });
  return inOrder(recipes, name);
}

const firstLine = (message: string): string =>
  message
    .split('\n')[0]!
    .replace(/ at line \d+, column \d+:?$/, '')
    .replace(/[.:]$/, '');

function locator(document: Document, lines: LineCounter, name: string): Locate {
  return (path, key = false) => {
    const node = nodeAt(document, path, key);
    const range = node?.range ?? document.contents?.range;
    if (!range) return name;
    const { line, col } = lines.linePos(range[0]);
    return `${name}:${line}:${col}`;
  };
}

/** The node at a path, or the nearest above it. */
function nodeAt(document: Document, path: Path, key: boolean): Node | null {
  for (let length = path.length; length >= 0; length--) {
    const part = path.slice(0, length);
    if (key && length === path.length && length > 0) {
      const parent = length === 1 ? document.contents : document.getIn(part.slice(0, -1), true);
      const pair = isMap(parent)
        ? parent.items.find(item => isScalar(item.key) && item.key.value === part.at(-1))
        : undefined;
      if (pair !== undefined) return pair.key as Node;
    }
    const node = length === 0 ? document.contents : (document.getIn(part, true) as Node | null | undefined);
    if (node?.range) return node;
  }
  return null;
}

/** Models that a recipe names. */
export function namesOf({ base_model: base, models = [], slices = [], groups = {} }: Recipe): readonly string[] {
  const all = [
    ...(base ? [base] : []),
    ...models.map(({ model }) => model),
    ...slices.flatMap(({ sources, base_model: own }) => [...sources.map(({ model }) => model), ...(own ? [own] : [])]),
    ...Object.values(groups).flatMap(({ models: members, base_model: own }) => [...members.map(({ model }) => model), ...(own ? [own] : [])]), // prettier-ignore
  ];
  return [...new Set(all.map(titleOf))];
}

/** Documents that use the result of another come after it. */
function inOrder(recipes: readonly Sourced[], name: string): readonly Sourced[] {
  if (recipes.length === 1) return recipes;
  const byName = new Map<string, Sourced>();
  for (const one of recipes) {
    const own = one.recipe.name;
    if (own === undefined) continue;
    if (byName.has(own))
      fail('E_RECIPE', `${one.at(['name'])}: expected each name once, received '${own}' twice. Rename one.`, {
        name: own,
      });
    byName.set(own, one);
  }
  const unnamed = recipes.filter(({ recipe }) => recipe.name === undefined);
  if (unnamed.length > 1)
    fail('E_RECIPE', `${unnamed[1]!.at([])}: expected at most one document without a name, the result, received ${unnamed.length}. Name the others.`, { name }); // prettier-ignore
  const ordered = new Set<Sourced>();
  const visit = (one: Sourced, above: readonly Sourced[]): void => {
    if (ordered.has(one)) return;
    if (above.includes(one)) {
      const circle = [...above.slice(above.indexOf(one)), one].map(({ recipe }) => recipe.name).join(' -> ');
      fail('E_RECIPE', `${one.at(['name'])}: expected documents without a circle, received ${circle}. Break it.`, {
        name,
      });
    }
    for (const used of namesOf(one.recipe)) {
      const other = byName.get(used);
      if (other !== undefined) visit(other, [...above, one]);
    }
    ordered.add(one);
  };
  for (const one of recipes) if (one.recipe.name !== undefined) visit(one, []);
  for (const one of unnamed) visit(one, []);
  return [...ordered];
}
