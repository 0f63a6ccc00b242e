/** What came of strategies: a table of means by way, and differences from training apart, direction by direction. */

import { conflictsOf, directionOf, type ChainResult, type Conflicts } from '@heddle/mmt-merge';
import type { ReportTable } from '@heddle/tracker-report';
import { grouped, percent } from '../words.js';

const order = ['base', 'separate', 'multilingual', 'group', 'direction-aware'];

/** Rows as people read them: the base, then strategies, then merges. */
export const rowNames = ({ rows }: ChainResult): readonly string[] => [
  ...order.filter(name => Object.hasOwn(rows, name)),
  ...Object.keys(rows).filter(name => !order.includes(name)).toSorted(), // prettier-ignore
];

const signed = (x: number): string => `${x >= 0 ? '+' : '−'}${Math.abs(x).toFixed(1)}`;

const meanOf = ({ rows }: ChainResult, row: string, way: 'into' | 'out-of', metric: string): number => {
  const all = Object.entries(rows[row]!.directions).filter(([name]) => directionOf(name).way === way);
  return all.reduce((sum, [, { scores }]) => sum + scores[metric]!, 0) / all.length;
};

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
    head: ['strategy', 'adapters', 'parameters', 'tokens', 'chrF into English', 'out of it', 'BLEU into English', 'out of it', 'against separate, into', 'out of', 'left out by rank'], // prettier-ignore
    rows: rowNames(result).map(name => {
      const row = result.rows[name]!;
      const conflicts = against === null || name === against || name === 'base' ? null : conflictsOf(result, name, against); // prettier-ignore
      return [
        name,
        String(row.modules),
        grouped(row.parameters),
        grouped(row.tokens),
        ...(['chrF', 'BLEU'] as const).flatMap(metric => (['into', 'out-of'] as const).map(way => meanOf(result, name, way, metric).toFixed(1))), // prettier-ignore
        of(conflicts, 'into'),
        of(conflicts, 'out-of'),
        row.truncation === null ? '–' : percent(row.truncation),
      ];
    }),
  };
}

/** chrF of every direction by strategy, with the difference from training apart; a star where it is more than chance. */
export function directionTable(result: ChainResult, way: 'into' | 'out-of'): ReportTable {
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
