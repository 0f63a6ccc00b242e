/** The table of one contest: times, and speeds relative to the best peer and to the hand-built graph. */

import { least, median, speedup } from './stats.mjs';
import { digits, megabytes, ratio, table } from './table.mjs';

/** The record with the least median wall time among those with this key. */
export const fastest = (records, key) =>
  records.filter(r => r.key === key && r.wall.length > 0).toSorted((a, b) => median(a.wall) - median(b.wall))[0] ??
  null;

/** How many times faster the first is, by wall time. */
export const faster = (ours, theirs) => (ours && theirs ? speedup(ours.wall, theirs.wall) : Number.NaN);

/** The largest relative difference of the losses from those of the reference, over the first `most` steps that both made. */
export function lossGap(record, reference, most) {
  const both = Math.min(record?.values.length ?? 0, reference?.values.length ?? 0, most);
  if (both === 0) return Number.NaN;
  return Math.max(...reference.values.slice(0, both).map((x, i) => Math.abs(record.values[i] - x) / Math.abs(x)));
}

/**
 * @param {object} options
 * @param {string} options.unit such as `tokens/s`
 * @param {number} options.work units in one step; times are in milliseconds
 * @param {[string, string][]} options.against key and column title
 * @param {(record: any) => string} [options.last] and its title
 */
export function contestTable(records, { unit, work, against, extra = [] }) {
  const bases = against.map(([key]) => fastest(records, key));
  const head = [
    'contestant',
    'median ms',
    'min ms',
    'CPU ms',
    unit,
    ...against.map(([, title]) => title),
    'peak MB',
    ...extra.map(([title]) => title),
  ];
  const rows = records
    .filter(r => r.wall.length > 0)
    .map(r => [
      `${r.key.startsWith('heddle') ? `**${r.name}**` : r.name}${r.slow ? ' (alone)' : ''}`,
      digits(median(r.wall)),
      digits(least(r.wall)),
      digits(median(r.cpu)),
      digits((work / median(r.wall)) * 1000),
      ...bases.map(base => `${ratio(faster(r, base))} (CPU ${base ? ratio(speedup(r.cpu, base.cpu)) : '–'})`),
      megabytes(r.peak),
      ...extra.map(([, cell]) => cell(r)),
    ]);
  return table(head, rows);
}

export const skippedLines = records =>
  records.filter(r => r.skipped !== null).map(r => `- left out: ${r.name}: ${r.skipped}`);
