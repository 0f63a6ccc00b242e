/** PREDICTIONS.md as data: what was expected, to stand beside what came. */

import { existsSync, readFileSync } from 'node:fs';
import { folder } from './paths.mjs';
import { digits, table } from './table.mjs';

/** @returns {{ id: string, what: string, predicted: string }[]} */
function readPredictions() {
  const path = folder('PREDICTIONS.md');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(line => /^\| [a-z][\w-]*-[\w-]+ \|/.test(line))
    .map(line => {
      const [id, what, predicted] = line
        .split('|')
        .slice(1)
        .map(cell => cell.trim());
      return { id, what, predicted };
    });
}

/** `0.9 – 1.1` holds what lies between; `below 5` what is less. */
function holds(predicted, value) {
  const below = predicted.match(/^below ([\d.e-]+)$/);
  if (below) return value < Number(below[1]);
  const range = predicted.match(/^(-?[\d.]+) – (-?[\d.]+)$/);
  return range ? value >= Number(range[1]) && value <= Number(range[2]) : null;
}

/** @param {Record<string, number>} figures */
export function predictionTable(figures) {
  const rows = readPredictions().map(({ id, what, predicted }) => {
    const value = figures[id];
    const known = typeof value === 'number' && Number.isFinite(value);
    const held = known ? holds(predicted, value) : null;
    return [
      what,
      predicted,
      known ? (Math.abs(value) < 0.001 && value !== 0 ? value.toExponential(1) : digits(value)) : 'n/a',
      held === null ? '' : held ? 'as predicted' : 'otherwise',
    ];
  });
  return rows.length === 0 ? '' : table(['what', 'predicted', 'measured', ''], rows);
}
