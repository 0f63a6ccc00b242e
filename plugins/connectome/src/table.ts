/** Tables as text: of numbers, and of subjects. */

import { fail } from '@heddle/core';

export interface Numbers {
  readonly shape: readonly [rows: number, columns: number];
  readonly data: Float64Array;
}

/**
 * Rows of numbers with commas, semicolons, tabs or spaces between. Lines that begin with `#`, and a first line of names, are
 * left out; an empty field, `nan` and `NA` are NaN.
 *
 * @throws E_MATRIX for a word that is no number and a row of another length, by line; E_EMPTY for no rows
 */
export function numbersOf(text: string, name: string): Numbers {
  const values: number[] = [];
  let [columns, rows] = [0, 0];
  for (const [at, line] of text.split('\n').entries()) {
    const content = line.replace(/^\ufeff/, '').trim();
    if (content === '' || content.startsWith('#')) continue;
    const fields = content.split(/\s*[,;\t]\s*|\s+/);
    const numbers = fields.map(field => (absent.test(field) ? Number.NaN : Number(field)));
    const odd = fields.findIndex((field, i) => Number.isNaN(numbers[i]!) && !absent.test(field));
    if (odd >= 0 && rows === 0 && numbers.every(Number.isNaN)) continue; // names of regions
    if (odd >= 0)
      fail(
        'E_MATRIX',
        `${name} line ${at + 1}: expected numbers, received '${fields[odd]!.slice(0, 40)}' in column ${odd + 1}. Mend the line.`,
        { name, line: at + 1 },
      );
    if (rows > 0 && numbers.length !== columns)
      fail(
        'E_MATRIX',
        `${name} line ${at + 1}: expected ${columns} numbers, as in the lines before, received ${numbers.length}. Mend the line.`,
        { name, line: at + 1 },
      );
    columns = numbers.length;
    rows++;
    for (const number of numbers) values.push(number);
  }
  if (rows === 0) fail('E_EMPTY', `${name}: expected rows of numbers, received none. Leave it out.`, { name });
  return { shape: [rows, columns], data: Float64Array.from(values) };
}

const absent = /^(?:|nan|na|n\/a)$/i;

/** Rows of a CSV by the names in its first line; quotes as in RFC 4180. @throws E_COLUMN for a row of another length */
export function recordsOf(text: string, name: string): readonly ReadonlyMap<string, string>[] {
  const rows: string[][] = [[]];
  let [field, quoted] = ['', false];
  const body = text.replace(/^\ufeff/, '');
  for (let at = 0; at < body.length; at++) {
    const letter = body[at]!;
    if (quoted) {
      if (letter !== '"') field += letter;
      else if (body[at + 1] === '"') field += body[++at]!;
      else quoted = false;
    } else if (letter === '"' && field === '') quoted = true;
    else if (letter === ',' || letter === '\n') {
      rows.at(-1)!.push(field.replace(/\r$/, ''));
      field = '';
      if (letter === '\n') rows.push([]);
    } else field += letter;
  }
  rows.at(-1)!.push(field.replace(/\r$/, ''));
  const [names = [], ...records] = rows.filter(row => row.length > 1 || row[0] !== '');
  for (const [at, row] of records.entries())
    if (row.length !== names.length)
      fail(
        'E_COLUMN',
        `${name} row ${at + 2}: expected ${names.length} fields, as in the first row, received ${row.length}. Mend the row.`,
        { name, row: at + 2 },
      );
  return records.map(row => new Map(names.map((column, at) => [column, row[at]!])));
}
