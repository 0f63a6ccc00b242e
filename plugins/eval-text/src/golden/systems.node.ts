/** The tables of system outputs beside the golden files: `src`, `ref`, then a column for each system. */

import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface Systems {
  readonly references: readonly string[];
  /** @throws Error for a system that is not in the table */
  system(name: string): readonly string[];
}

const cache = new Map<string, Promise<Systems>>();

/** @param golden path of the golden file, whose folder holds `systems/` */
export function readSystems(golden: string, file: string): Promise<Systems> {
  const path = join(dirname(golden), 'systems', file);
  const known = cache.get(path) ?? read(path);
  cache.set(path, known);
  return known;
}

async function read(path: string): Promise<Systems> {
  const [head, ...lines] = (await readFile(path, 'utf8')).replace(/\n$/, '').split('\n');
  const names = head!.split('\t');
  const rows = lines.map(line => line.split('\t'));
  const column = (name: string): readonly string[] => {
    const at = names.indexOf(name);
    if (at < 0) throw new Error(`${path} has no column ${name}`);
    return rows.map(row => row[at] ?? '');
  };
  return { references: column('ref'), system: column };
}
