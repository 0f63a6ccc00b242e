/** Reading the options of commands, and tables of what they found. */

import { fail, type CommandCall } from '@heddle/core';
import type { PairFilter } from '../parallel/filter.js';

type Options = CommandCall['options'];

/** @throws E_OPTION for what is no number, or less than `least` */
export function numberOption(options: Options, name: string, least: number, whole: boolean): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  if (typeof number === 'number' && number >= least && (!whole || Number.isSafeInteger(number))) return number;
  return fail(
    'E_OPTION',
    `--${name.replaceAll(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}: expected a ${whole ? 'whole ' : ''}number of at least ${least}, received '${String(value)}'. Correct it.`,
    { option: name },
  );
}

export const listOption = (options: Options, name: string): readonly string[] => {
  const value = options[name];
  return Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : [];
};

export function filterOptions(options: Options): PairFilter {
  const [longest, ratio] = [numberOption(options, 'longest', 1, true), numberOption(options, 'ratio', 1, false)];
  const duplicates = options['duplicates'] as PairFilter['duplicates'];
  return {
    ...(longest === undefined ? {} : { longest }),
    ...(ratio === undefined ? {} : { ratio }),
    ...(duplicates === undefined ? {} : { duplicates }),
  };
}

/** Lines with columns: the first to the left, the others to the right. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => row[column]!.length)));
  return rows.map(row =>
    row
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd(),
  );
}

export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
