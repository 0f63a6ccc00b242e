/** Where things are, and which version of pnpm this workspace is pinned to. */

import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Everything that can be thrown away and made again, except what package managers put into `node_modules`. */
export const cache = join(root, '.cache');

export const readJson = path => JSON.parse(readFileSync(path, 'utf8'));

const manager = readJson(join(root, 'package.json')).packageManager;
export const pnpmVersion = /^pnpm@(\d+\.\d+\.\d+)/.exec(manager)[1];

/** Folders of all packages, relative to the root, as `pnpm-workspace.yaml` lists them. */
export function packageFolders() {
  const listed = readFileSync(join(root, 'pnpm-workspace.yaml'), 'utf8').split(/^\S/m)[1];
  const patterns = [...listed.matchAll(/^ {2}- '?([^'\s]+)'?/gm)].map(match => match[1]);
  return patterns
    .flatMap(pattern => {
      if (!pattern.endsWith('/*')) return [pattern];
      const parent = pattern.slice(0, -2);
      return existsSync(join(root, parent)) ? readdirSync(join(root, parent)).map(name => `${parent}/${name}`) : [];
    })
    .filter(folder => existsSync(join(root, folder, 'package.json')))
    .sort();
}
