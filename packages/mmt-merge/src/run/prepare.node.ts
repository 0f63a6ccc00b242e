/** From a recipe to plans: models are opened by their headers, documents and groups become steps. */

import { promises as fs } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fail, type MergeMethod } from '@heddle/core';
import { openCheckpoint, type Checkpoint } from '../checkpoint/open.node.js';
import type { ModelView } from '../checkpoint/view.js';
import { methods as ownMethods } from '../methods/index.js';
import { planMerge, type MergePlan, type PlanModel } from '../plan/plan.js';
import { checkRecipe, pathText, type Locate } from '../recipe/check.js';
import { namesOf, readRecipes, type Sourced } from '../recipe/read.js';
import type { Recipe, RecipeGroup } from '../recipe/recipe.js';
import { titleOf } from '../recipe/reference.js';

export interface PrepareOptions {
  /** Where relative paths of a recipe given as a value begin; of a file they begin at its folder. */
  readonly from?: string;
  /** Further folders in which models are looked up. */
  readonly models?: readonly string[];
  readonly methods?: readonly MergeMethod[];
}

/** One result: a document, or a group of one. */
export interface Step {
  /** Null for the result itself; for others the name of their document. */
  readonly document: string | null;
  /** The folder within the result of the document, for groups. */
  readonly group: string | null;
  /** With the parameters of a group among its own. */
  readonly recipe: Recipe;
  readonly at: Locate;
  readonly text: string;
  readonly kind: 'model' | 'adapter';
  /** Null for adapters, which are merged module by module. */
  readonly plan: MergePlan | null;
  readonly titles: readonly string[];
}

export interface Prepared {
  /** In the order in which they must be made. */
  readonly steps: readonly Step[];
  /** By title; results of earlier documents are not among them. */
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly from: string;
  readonly methods: readonly MergeMethod[];
  /** The last document: the result. */
  readonly document: Recipe;
  close(): Promise<void>;
}

/**
 * Opens all models of a recipe by their headers and plans every step.
 *
 * @param recipe the path of a YAML file, or a recipe as a value
 */
export async function prepare(recipe: string | Recipe, options: PrepareOptions = {}): Promise<Prepared> {
  const { models = [], methods = ownMethods } = options;
  const { documents, from, text } = await documentsOf(recipe, options.from);
  const produced = new Map<string, ModelView>();
  const checkpoints = new Map<string, Checkpoint>();
  const close = async (): Promise<void> => void (await Promise.all([...checkpoints.values()].map(one => one.close())));
  try {
    const steps: Step[] = [];
    for (const [index, { recipe: document, at }] of documents.entries()) {
      const name = index === documents.length - 1 ? null : (document.name ?? null);
      for (const title of namesOf(document)) {
        if (!checkpoints.has(title) && !produced.has(title))
          checkpoints.set(title, await openCheckpoint(title, { from, models }));
      }
      for (const [group, recipeOf, path] of groupsOf(document)) {
        const titles = namesOf(recipeOf);
        const kind = kindOf(recipeOf, checkpoints, at);
        const planModels = new Map(titles.map(title => [title, planModel(title, checkpoints, produced, documents)]));
        const plan = kind === 'adapter' ? null : planMerge({ recipe: recipeOf, at, models: planModels, methods, ...(path ? { group: path } : {}) }); // prettier-ignore
        const recorded: Recipe = path
          ? { ...recipeOf, parameters: { ...recipeOf.parameters, ...path.parameters } }
          : recipeOf;
        steps.push({ document: name, group, recipe: recorded, at, text, kind, plan, titles });
        if (name !== null && group === null && plan !== null) produced.set(name, viewOfPlan(name, plan));
      }
    }
    return { steps, checkpoints, from, methods, document: documents.at(-1)!.recipe, close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function documentsOf(
  recipe: string | Recipe,
  from: string | undefined,
): Promise<{ readonly documents: readonly Sourced[]; readonly from: string; readonly text: string }> {
  if (typeof recipe !== 'string')
    return {
      documents: [{ recipe: checkRecipe(recipe), at: pathText }],
      from: from ?? process.cwd(),
      text: `${JSON.stringify(recipe, null, 2)}\n`,
    };
  const text = await fs.readFile(recipe, 'utf8').catch(
    (error: NodeJS.ErrnoException) =>
    fail('E_FILE', `${recipe}: expected a recipe in YAML, received ${error.code === 'ENOENT' ? 'nothing by this name' : (error.code ?? error.message)}. Check the path.`, { path: recipe }, error), // prettier-ignore
  );
  return { documents: readRecipes(text, recipe), from: from ?? dirname(resolve(recipe)), text };
}

/** A document without groups is one recipe; with groups, one for each. */
function groupsOf(recipe: Recipe): readonly (readonly [group: string | null, Recipe, path: GroupPath | null])[] {
  if (recipe.groups === undefined) return [[null, recipe, null]];
  const { groups, ...rest } = recipe;
  return Object.entries(groups).map(([name, group]) => {
    const own: Recipe = {
      ...rest,
      models: group.models.map(({ label: _, ...model }) => model),
      ...(group.base_model ? { base_model: group.base_model } : {}),
    };
    return [name, own, { path: ['groups', name], parameters: group.parameters ?? {} }];
  });
}

/** Where the parameters of a group stand: between those of a model and those of the recipe. */
export interface GroupPath {
  readonly path: readonly (string | number)[];
  readonly parameters: NonNullable<RecipeGroup['parameters']>;
}

/** Adapters alone give an adapter; with their model, or mixed with models, a model. */
function kindOf(recipe: Recipe, checkpoints: ReadonlyMap<string, Checkpoint>, at: Locate): Step['kind'] {
  const all = namesOf(recipe).map(title => checkpoints.get(title));
  const alone = all.filter(one => one !== undefined && one.folder === null);
  if (alone.length === 0) {
    if (recipe.adapters !== undefined)
      fail('E_RECIPE', `${at(['adapters'])}: adapters: expected adapters without a model, received models. Name the adapters alone, or take adapters out.`, {}); // prettier-ignore
    return 'model';
  }
  if (alone.length === all.length) return 'adapter';
  const base = recipe.base_model ? checkpoints.get(titleOf(recipe.base_model)) : undefined;
  // Adapters of the base: the result is an adapter again.
  if (base !== undefined && base.folder !== null && alone.length === all.length - 1) return 'adapter';
  return fail('E_RECIPE', `${at([])}: expected models, or adapters alone, received both: ${alone.map(one => one!.title).join(', ')} need a model, written MODEL+ADAPTER. Name it.`, {}); // prettier-ignore
}

function planModel(
  title: string,
  checkpoints: ReadonlyMap<string, Checkpoint>,
  produced: ReadonlyMap<string, ModelView>,
  documents: readonly Sourced[],
): PlanModel {
  const own = checkpoints.get(title);
  if (own !== undefined) {
    const size = own.config?.['vocab_size'];
    return {
      title,
      view: own.view,
      vocabulary: own.vocabulary,
      vocabularySize: typeof size === 'number' ? size : null,
    };
  }
  // What an earlier document will make: its tokens are those of its own donor.
  const document = documents.find(({ recipe }) => recipe.name === title)!;
  const donor = document.recipe.base_model ? titleOf(document.recipe.base_model) : namesOf(document.recipe)[0]!;
  const before = donor === title ? null : checkpoints.get(donor);
  const unchanged = document.recipe.tokenizer === undefined && document.recipe.tokenizer_source === undefined;
  return {
    title,
    view: produced.get(title)!,
    vocabulary: (unchanged && before?.vocabulary) || null,
    vocabularySize: null,
  };
}

/** The tensors that a plan will write, for plans that build on it; where they lie is known only then. */
const viewOfPlan = (title: string, plan: MergePlan): ModelView => ({
  title,
  tensors: new Map(
    plan.tensors.map(({ name, shape, dtype }) => [
      name,
      { name, shape, dtype, source: { kind: 'stored', file: title, start: 0, dtype, shape } },
    ]),
  ),
});
