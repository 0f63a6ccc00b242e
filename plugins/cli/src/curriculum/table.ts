/** What came of curricula, stage by stage, for the terminal. */

import { join } from 'node:path';
import type { Curriculum, CurriculumState, Measured, StageRecord } from '@heddle/rl-grpo';
import { grouped, percent, timeTaken } from '../words.js';

export interface Finished {
  readonly curriculum: Curriculum;
  readonly state: CurriculumState;
  /** Of this run alone: stages that were there already took none. */
  readonly seconds: number;
}

/** `74 % (68 to 79)` */
export const accuracyOf = ({ accuracy, low, high }: Measured): string =>
  `${percent(accuracy)} (${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)})`;

/** Head and rows: a stage that trained each, tokens counted from the beginning of its curriculum. */
export function stageTable({ curriculum, state }: Finished): {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
} {
  const { problems } = curriculum.measure;
  const trained = state.done.filter(({ kind }) => kind === 'learn' || kind === 'policy');
  const of = (record: StageRecord, name: string): Measured | undefined =>
    record.measured.find(one => one.problems === name);
  let tokens = 0;
  return {
    head: ['stage', 'steps', 'tokens so far', ...problems.map(name => `right, ${name}`), 'with paths', 'block opens at', 'tokens an answer'], // prettier-ignore
    rows: trained.map(record => {
      tokens += record.tokens;
      const all = problems.map(name => of(record, name));
      const known = all.filter(one => one !== undefined);
      const mean = (pick: (one: Measured) => number): number =>
        known.reduce((sum, one) => sum + pick(one), 0) / known.length;
      const places = known.map(({ firstBlock }) => firstBlock).filter(place => place !== null);
      return [
        record.name,
        grouped(record.steps),
        grouped(tokens),
        ...all.map(one => (one ? accuracyOf(one) : '–')),
        known.length === 0 ? '–' : percent(mean(({ parallelRatio }) => parallelRatio)),
        places.length === 0 ? '–' : percent(places.reduce((a, b) => a + b, 0) / places.length),
        known.length === 0 ? '–' : mean(({ length }) => length).toFixed(1),
      ];
    }),
  };
}

export function closing(
  finished: readonly Finished[],
  folder: string,
  report: string,
  heddle: string,
): readonly string[] {
  const lines = finished.flatMap(one => {
    const { head, rows } = stageTable(one);
    const widths = head.map((title, column) => Math.max(title.length, ...rows.map(row => row[column]!.length)));
    const line = (row: readonly string[]): string =>
      row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[i]!))).join('  ');
    return ['', `${one.curriculum.name} (${timeTaken(one.seconds)})`, line(head), ...rows.map(line)];
  });
  const example = finished[0]!.state.done.at(-1)?.measured[0]?.examples[0]?.problem;
  return [
    ...lines,
    '',
    'Answers are sampled at temperature 1, to problems that nobody learnt from; in brackets the ends of 95 % intervals.',
    `Curves, and answers as trees of paths: ${report}`,
    ...(example
      ? [`Try next: ${heddle} think --model ${join(folder, 'model')} --text ${JSON.stringify(example)}`]
      : []),
  ];
}
