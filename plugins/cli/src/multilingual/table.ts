/** What came of strategies: a table of means by way, and differences from training apart, direction by direction. */

import { conflictsOf, directionOf, fewName, type ChainResult, type Conflicts } from '@heddle/mmt-merge';
import type { ReportTable } from '@heddle/tracker-report';
import { grouped, percent } from '../words.js';
import { offTargetScore } from './bench.js';

const order = ['base', 'separate', 'multilingual', 'group', 'direction-aware'];

/** Rows of all languages as people read them: the base, then strategies, then merges. */
export const rowNames = ({ rows }: ChainResult): readonly string[] => [
  ...order.filter(name => Object.hasOwn(rows, name)),
  ...Object.keys(rows).filter(name => !order.includes(name) && !name.startsWith(fewName(''))).toSorted(), // prettier-ignore
];

export const signed = (x: number): string => `${x >= 0 ? '+' : '−'}${Math.abs(x).toFixed(1)}`;

export type Way = 'into' | 'out-of';
export const ways: Readonly<Record<Way, string>> = { into: 'into English', 'out-of': 'out of English' };

/** Over the directions that have the metric; null where none has. */
const meanOf = ({ rows }: ChainResult, row: string, way: Way, metric: string): number | null => {
  const all = Object.entries(rows[row]!.directions).flatMap(([name, { scores }]) =>
    directionOf(name).way === way && scores[metric] !== undefined ? [scores[metric]] : [],
  );
  return all.length === 0 ? null : all.reduce((sum, x) => sum + x, 0) / all.length;
};

const shown = (x: number | null): string => x?.toFixed(1) ?? '–';

/** A row for each strategy: size, tokens, means by way, and how many directions lose and gain beyond chance. */
export function strategyTable(result: ChainResult): ReportTable {
  const against = Object.hasOwn(result.rows, 'separate') ? 'separate' : null;
  const of = (conflicts: Conflicts | null, way: 'into' | 'out-of'): string => {
    if (!conflicts) return '–';
    const { mean, conflicts: lost, synergies } = conflicts.ways[way];
    return `${signed(mean)} (${synergies} up, ${lost} down)`;
  };
  return {
    title: 'Strategies: means over languages',
    head: ['strategy', 'modules', 'parameters', 'tokens', 'chrF into English', 'out of it', 'BLEU into English', 'out of it', 'against separate, into', 'out of', 'left out by rank'], // prettier-ignore
    rows: rowNames(result).map(name => {
      const row = result.rows[name]!;
      const conflicts = against === null || name === against || name === 'base' ? null : conflictsOf(result, name, against); // prettier-ignore
      return [
        name,
        String(row.modules),
        grouped(row.parameters),
        grouped(row.tokens),
        ...(['chrF', 'BLEU'] as const).flatMap(metric => (['into', 'out-of'] as const).map(way => shown(meanOf(result, name, way, metric)))), // prettier-ignore
        of(conflicts, 'into'),
        of(conflicts, 'out-of'),
        row.truncation === null ? '–' : percent(row.truncation),
      ];
    }),
  };
}

/** Means of each further test and of what was written in another language than asked; null where there is neither. */
export function testTable(result: ChainResult, sets: readonly string[]): ReportTable {
  const columns = [
    ...sets.flatMap(set =>
      ['chrF', 'BLEU'].map(metric => ({ title: `${set}: ${metric}`, metric: `${metric} ${set}` })),
    ),
    { title: 'in another language, %', metric: offTargetScore },
  ];
  const both = ['into', 'out-of'] as const;
  return {
    title:
      'Further tests, and how often another language than asked is written: means over the languages that have them',
    head: ['strategy', ...columns.flatMap(({ title }) => both.map(way => `${title}, ${ways[way]}`))],
    rows: rowNames(result).map(name => [
      name,
      ...columns.flatMap(({ metric }) => both.map(way => shown(meanOf(result, name, way, metric)))),
    ]),
  };
}

/** What strategies make of the same sentences. */
export function exampleTable(result: ChainResult): ReportTable {
  const names = rowNames(result);
  return {
    title: 'Examples',
    head: ['direction', 'source', 'reference', ...names],
    rows: Object.entries(result.rows[names[0]!]!.directions).flatMap(([direction, { examples = [] }]) =>
      examples
        .slice(0, 1)
        .map(({ source, reference }, i) => [
          direction,
          source,
          reference,
          ...names.map(name => result.rows[name]!.directions[direction]?.examples?.[i]?.written ?? '–'),
        ]),
    ),
  };
}

/** chrF of every direction by strategy, with the difference from training apart; a star where it is more than chance. */
export function directionTable(result: ChainResult, way: Way): ReportTable {
  const names = rowNames(result);
  const directions = Object.keys(result.rows[names[0]!]!.directions).filter(name => directionOf(name).way === way);
  const apart = Object.fromEntries(
    names
      .filter(name => name !== 'separate' && name !== 'base' && Object.hasOwn(result.rows, 'separate'))
      .map(name => [name, conflictsOf(result, name).directions]),
  );
  return {
    title: `${way === 'into' ? 'Into English' : 'Out of English'}: chrF, and sentence chrF against separate (* beyond chance)`,
    head: ['direction', ...names],
    rows: directions.map(direction => [
      direction,
      ...names.map(name => {
        const score = result.rows[name]!.directions[direction]!.scores['chrF']!.toFixed(1);
        const found = apart[name]?.[direction];
        return found ? `${score} (${signed(found.delta)}${found.significant ? '*' : ''})` : score;
      }),
    ]),
  };
}

/** How adapters of directions lie to each other. */
export function vectorTable({ vectors }: ChainResult): ReportTable | null {
  if (!vectors) return null;
  const cell = (x: number | null): string => x?.toFixed(3) ?? '–';
  return {
    title: 'Adapters of single directions: cosines of their differences',
    head: ['way', 'within groups', 'between groups', 'weights that pull apart'],
    rows: (['into', 'out-of'] as const).map(way => {
      const { within, between, signConflict } = vectors[way];
      return [way === 'into' ? 'into English' : 'out of English', cell(within), cell(between), percent(signConflict)];
    }),
  };
}
