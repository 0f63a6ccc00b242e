/** Text that every machine with Heddle has: its documents and its sources. */

import { readFile, readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Document } from '@heddle/text';

/** Enough for a minute of training; more would only take longer to tokenise. */
const enough = 900_000; // characters

/**
 * Documents first, then sources, each in the order of their paths, until there is enough.
 *
 * In a clone of the repository these are its own; in an installation, what the packages brought along.
 */
export async function ownText(): Promise<readonly Document[]> {
  const found: Document[] = [];
  let size = 0;
  for (const root of await roots()) {
    const files = await filesBelow(root);
    const documents = files.filter(name => name.endsWith('.md'));
    const sources = files.filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts') && !name.endsWith('.test.ts'));
    for (const path of [...documents, ...sources]) {
      if (size >= enough) return found;
      const text = await readFile(path, 'utf8');
      if (text.trim() === '') continue;
      found.push({ name: relative(root, path), text });
      size += text.length;
    }
  }
  return found;
}

/** The root of the clone, or the folders of the installed packages. */
async function roots(): Promise<readonly string[]> {
  const here = dirname(fileURLToPath(import.meta.url));
  const clone = join(here, '..', '..', '..');
  const beside = await readdir(clone).catch((): string[] => []);
  if (beside.includes('pnpm-workspace.yaml') && beside.includes('packages')) return [clone];
  const { resolve } = createRequire(import.meta.url);
  const packages = ['core', 'cli', 'text', 'transformer', 'backend-onnx', 'tracker-console'].map(
    name => `@heddle/${name}/package.json`,
  );
  return packages.flatMap(name => {
    try {
      return [dirname(resolve(name))];
    } catch {
      return []; // not exported, or not there: the others are enough
    }
  });
}

const passedBy = new Set(['node_modules', 'dist', 'reports', 'coverage', 'results', 'fixtures', 'runs']);

/** By UTF-16 unit: the same order on every machine. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const files: string[] = [];
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || passedBy.has(entry.name) || entry.name === 'CHANGELOG.md') continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await filesBelow(path)));
    else if (entry.isFile()) files.push(path);
  }
  return files;
}
