/** Which module serves which label, beside the modules of a grouped merge. */

import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import type { Recipe } from '../recipe/recipe.js';

/** `routing.json`: modules by group, and the group of each label. */
export interface Routing {
  readonly format: 'heddle-routing-1';
  readonly modules: Readonly<Record<string, { readonly path: string; readonly labels: readonly string[] }>>;
  readonly routes: Readonly<Record<string, string>>;
}

function routingOf({ groups = {} }: Recipe): Routing {
  const modules = Object.fromEntries(
    Object.entries(groups).map(([name, { models }]) => [
      name,
      { path: name, labels: models.flatMap(({ label }) => (label === undefined ? [] : [label])) },
    ]),
  );
  const routes = Object.fromEntries(
    Object.entries(modules).flatMap(([name, { labels }]) => labels.map(label => [label, name])),
  );
  return { format: 'heddle-routing-1', modules, routes };
}

export const writeRouting = (folder: string, recipe: Recipe): Promise<void> =>
  fs.writeFile(join(folder, 'routing.json'), `${JSON.stringify(routingOf(recipe), null, 2)}\n`);
