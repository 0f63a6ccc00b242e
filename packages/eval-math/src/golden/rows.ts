/** What the files of this kind share: one JSON object a line. */

import { parseGolden, type GoldenFile } from '@heddle/core/testing/golden';

export type Row = Readonly<Record<string, unknown>> & { readonly id: string };

export async function* rowsOf(file: GoldenFile): AsyncGenerator<Row> {
  for (const [index, line] of (await file.text()).split('\n').entries()) {
    if (line.trim() === '') continue;
    const row = parseGolden(line) as Row;
    yield typeof row.id === 'string' ? row : { ...row, id: `line ${index + 1}` };
  }
}

export const textAt = (row: Row, key: string): string => {
  const value = row[key];
  if (typeof value !== 'string')
    throw new Error(`row ${row.id}: expected a text at '${key}', received ${typeof value}`);
  return value;
};

/** A share with its counts, for people: `99.84 % (1251 of 1253)`. */
export const share = (part: number, whole: number): string =>
  whole === 0 ? 'none' : `${((100 * part) / whole).toFixed(2)} % (${part} of ${whole})`;

/** How many agreed; closes a file with one case that names the share and holds it against what is asked. */
export interface Tally {
  agreed: number;
  all: number;
}

export const closing = (
  what: string,
  { agreed, all }: Tally,
  least: number,
  more = '',
): { readonly id: string; readonly passed: boolean; readonly detail: string } => ({
  id: `share: ${what}`,
  passed: all === 0 || agreed >= least * all,
  detail: `${share(agreed, all)}, at least ${100 * least} % asked${more === '' ? '' : `; ${more}`}`,
});
