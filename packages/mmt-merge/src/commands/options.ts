/** Options of the command line, checked. */

import { fail } from '@heddle/core';

type Options = Readonly<Record<string, unknown>>;

/** @throws E_OPTION */
export function textOption(options: Options, name: string, what: string): string {
  const value = options[name];
  return typeof value === 'string' && value !== ''
    ? value
    : fail('E_OPTION', `${name}: expected ${what}, received none. Give --${name}.`, { name });
}

export const listOption = (options: Options, name: string): readonly string[] => {
  const value = options[name];
  return Array.isArray(value) ? (value as string[]) : typeof value === 'string' ? [value] : [];
};

/** @throws E_OPTION */
export function numberOption(options: Options, name: string, least: number, otherwise: number, whole = true): number {
  const value = options[name];
  if (value === undefined) return otherwise;
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' &&
    number >= least &&
    Number.isFinite(number) &&
    (!whole || Number.isSafeInteger(number))
    ? number
    : fail(
        'E_OPTION',
        `${name}: expected a ${whole ? 'whole ' : ''}number from ${least}, received ${JSON.stringify(value)}. Correct the option.`,
        { name, value },
      );
}

/** `512M`, `2G`, `1.5G`, or bytes. Decimal, as disks are sold. @throws E_OPTION */
export function sizeOption(options: Options, name: string): number | undefined {
  const value = options[name];
  if (value === undefined) return undefined;
  const [, amount, unit] = /^(\d+(?:\.\d+)?)\s*([kKmMgGbB]?)[bB]?$/.exec(String(value)) ?? [];
  const bytes = amount === undefined ? NaN : Math.round(Number(amount) * { '': 1, k: 1e3, m: 1e6, g: 1e9, b: 1e9 }[unit!.toLowerCase() as '' | 'k' | 'm' | 'g' | 'b']); // prettier-ignore
  return bytes >= 1 && Number.isSafeInteger(bytes)
    ? bytes
    : fail(
        'E_OPTION',
        `${name}: expected a size such as 512M or 2G, received ${JSON.stringify(value)}. Correct the option.`,
        { name, value },
      );
}

/** `3.9 GB`, `12 MB`. */
export function bytesText(bytes: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const at = bytes < 1000 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3));
  const amount = bytes / 1000 ** at;
  return `${amount >= 100 || at === 0 ? Math.round(amount) : amount.toFixed(1)} ${units[at]!}`;
}

/** Columns of equal width, the first to the left, numbers to the right. */
export function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(row => row[column]!.length))) ?? [];
  return rows.map(row => row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!))).join('  ').trimEnd()); // prettier-ignore
}

/** About four digits. */
export const figure = (x: number | null): string =>
  x === null
    ? '-'
    : x === 0
      ? '0'
      : Math.abs(x) >= 1e-3 && Math.abs(x) < 1e5
        ? String(Number(x.toPrecision(4)))
        : x.toExponential(2);
