/** The packages of this workspace, read from its files. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Package } from './boundaries.js';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly nx: { readonly tags: readonly string[] };
}

export const readManifest = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;

const children = (parent: string): readonly string[] =>
  readdirSync(join(root, parent))
    .map(name => `${parent}/${name}`)
    .filter(folder => existsSync(join(root, folder, 'package.json')));

/** Folders of the packages that are published, relative to the root. */
export const publicFolders: readonly string[] = [...children('packages'), ...children('plugins')];

export const folders: readonly string[] = [...publicFolders, 'tests', 'benchmarks', 'examples'];

export function readPackage(folder: string): Package {
  const manifest = readManifest(folder);
  const { dependencies = {}, peerDependencies = {}, optionalDependencies = {}, devDependencies = {} } = manifest;
  return {
    name: manifest.name,
    folder,
    kind: manifest.nx.tags.find(tag => tag.startsWith('type:'))?.slice('type:'.length) ?? '',
    dependencies: Object.keys({ ...dependencies, ...peerDependencies, ...optionalDependencies }),
    devDependencies: Object.keys(devDependencies),
    entries: Object.keys(manifest.exports ?? {}),
    files: sources(folder),
  };
}

function sources(folder: string): ReadonlyMap<string, string> {
  const top = publicFolders.includes(folder) ? join(folder, 'src') : folder;
  // `benchmarks/peers` has a package.json of its own, installed on demand.
  const skipped = /(^|\/)(node_modules|dist|reports|results|peers)\//;
  return new Map(
    readdirSync(join(root, top), { recursive: true, encoding: 'utf8' })
      .map(name =>
        join(top, name)
          .slice(folder.length + 1)
          .replaceAll('\\', '/'),
      )
      .filter(name => /\.m?[jt]s$/.test(name) && !skipped.test(name) && !name.endsWith('vitest.config.ts'))
      .map(name => [name, readFileSync(join(root, folder, name), 'utf8')]),
  );
}
