/** System outputs of WMT 2022 as the golden files have them: `src`, `ref`, then a column for each system. */

import { readFileSync } from 'node:fs';

/** @returns {{ references: string[], systems: Record<string, string[]> }} */
export function readSystems(path) {
  const [head, ...lines] = readFileSync(path, 'utf8').trimEnd().split('\n');
  const rows = lines.map(line => line.split('\t'));
  const column = at => rows.map(row => row[at] ?? '');
  const systems = head
    .split('\t')
    .map((name, at) => [name, at])
    .filter(([, at]) => at >= 2);
  return { references: column(1), systems: Object.fromEntries(systems.map(([name, at]) => [name, column(at)])) };
}
