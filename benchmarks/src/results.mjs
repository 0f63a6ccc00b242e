/** Results as files: one JSON for each benchmark and day, and one table of all the newest. */

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { benches } from './benches/index.mjs';
import { folder } from './paths.mjs';
import { predictionTable } from './predictions.mjs';

export function save(result) {
  mkdirSync(folder('results'), { recursive: true });
  writeFileSync(folder('results', `${result.name}-${result.date}.json`), `${JSON.stringify(result, null, 1)}\n`);
}

/** The newest of each benchmark, in the order of the suite. */
function newest() {
  const files = readdirSync(folder('results'))
    .filter(file => file.endsWith('.json'))
    .toSorted();
  return benches.flatMap(({ name }) => {
    const last = files.findLast(file => new RegExp(String.raw`^${name}-\d{4}-\d\d-\d\d\.json$`).test(file));
    return last === undefined ? [] : [JSON.parse(readFileSync(folder('results', last), 'utf8'))];
  });
}

const machineLine = ({ cpu, cores, vectors, graphics, memoryGB, system, node, versions, loadBefore }) =>
  [
    `${cpu} (${cores} cores${vectors.length > 0 ? `, ${vectors.join(' ')}` : ''}), ${memoryGB} GB, ${graphics ? `${graphics}, ` : ''}${system}, Node ${node}`,
    ...Object.entries(versions)
      .filter(([, version]) => version !== null)
      .map(([name, version]) => `${name} ${version}`),
    `load before: ${loadBefore.toFixed(1)}`,
  ].join('; ');

const benchOf = result => benches.find(({ name }) => name === result.name);

/** One benchmark's section. */
export const section = result =>
  [
    `## ${benchOf(result).title}`,
    `\`${result.command}\`, ${result.date}, ${result.seconds.toFixed(0)} s. ${machineLine(result.machine)}.`,
    ...benchOf(result).render(result.data),
  ]
    .filter(Boolean)
    .join('\n\n');

const figuresOf = results => Object.assign({}, ...results.map(r => benchOf(r).figures(r.data)));

const report = results => {
  const predictions = predictionTable(figuresOf(results));
  return [
    '# Results',
    'Made by `npm run bench`; edits are overwritten. How to read the tables: [README](README.md). Raw numbers: `results/`.',
    ...(predictions
      ? [
          '## Predictions beside results',
          'Written down before the first measurement, in [PREDICTIONS.md](PREDICTIONS.md).',
          predictions,
        ]
      : []),
    ...results.map(section),
  ].join('\n\n');
};

/** Writes RESULTS.md anew from the newest result of every benchmark. */
export function writeReport() {
  writeFileSync(folder('RESULTS.md'), `${report(newest())}\n`);
}
