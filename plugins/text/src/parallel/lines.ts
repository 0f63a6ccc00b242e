/** Pairs out of text: two columns of a TSV, lines of two texts, fields of JSON lines. */

import { fail } from '@heddle/core';
import { jsonLines, linesOf, type NamedText } from '../json-lines.js';
import { dropCount, type Pair, type PairReading } from './pair.js';

/** Keeps what has words on both sides; spaces around either are no part of it. */
function collect(rows: Iterable<readonly [source: string, target: string, where: string]>): PairReading {
  const pairs: Pair[] = [];
  const drops = dropCount();
  let seen = 0;
  for (const [left, right, where] of rows) {
    seen++;
    const [source, target] = [left.trim(), right.trim()];
    if (source === '' && target === '') drops.drop('empty on both sides', where);
    else if (source === '') drops.drop('empty source', where);
    else if (target === '') drops.drop('empty target', where);
    else pairs.push({ source, target, where });
  }
  return { pairs, seen, dropped: drops.take() };
}

/** A column: its name in the first line, or its number from 1 in a file without names. */
export type Column = string | number;

/**
 * Two columns of tab-separated values. Fields are taken as they are: TSV has no quotes.
 *
 * @throws E_COLUMN for a column that is not there; E_PAIRS for a line with fewer columns, by its number
 */
export function pairsFromTsv({ name, text }: NamedText, source: Column, target: Column): PairReading {
  const lines = linesOf(text);
  const named = typeof source === 'string' || typeof target === 'string';
  const header = named ? (lines[0] ?? '').split('\t') : [];
  const placeOf = (column: Column): number => {
    const place = typeof column === 'number' ? column - 1 : header.indexOf(column);
    if (!Number.isInteger(place) || place < 0)
      fail(
        'E_COLUMN',
        `${name}: expected a column ${JSON.stringify(column)}, received ${named ? header.join(', ') || 'an empty first line' : 'a number below 1'}. Name one of these, or give numbers from 1 for a file without names.`,
        { name, column, columns: header },
      );
    return place;
  };
  const [left, right] = [placeOf(source), placeOf(target)];
  const needed = Math.max(left, right) + 1;
  function* rows(): Iterable<readonly [string, string, string]> {
    for (const [at, line] of lines.entries()) {
      if (named && at === 0) continue;
      const where = `${name} line ${at + 1}`;
      const fields = line.split('\t');
      if (line !== '' && fields.length < needed)
        fail(
          'E_PAIRS',
          `${where}: expected at least ${needed} columns with tabs between, received ${fields.length}. Mend the line, or take it out.`,
          { name, line: at + 1, columns: fields.length },
        );
      yield [fields[left] ?? '', fields[right] ?? '', where];
    }
  }
  return collect(rows());
}

/**
 * Line n of one text with line n of the other.
 *
 * @throws E_PAIRS when one has more lines
 */
export function pairsFromLines(source: NamedText, target: NamedText): PairReading {
  const [left, right] = [linesOf(source.text), linesOf(target.text)];
  if (left.length !== right.length)
    fail(
      'E_PAIRS',
      `${source.name} and ${target.name}: expected as many lines in both, received ${left.length} and ${right.length}. Line n of one must be the translation of line n of the other: align them anew.`,
      { source: left.length, target: right.length },
    );
  return collect(left.map((line, at) => [line, right[at]!, `${source.name} line ${at + 1}`]));
}

/**
 * Two fields of one JSON object a line. A field may stand deeper: `translation.de`.
 *
 * @throws E_JSON for a line that is no object, or has no text in one of the fields, by its number
 */
export function pairsFromJsonl(given: NamedText, source: string, target: string): PairReading {
  function* rows(): Iterable<readonly [string, string, string]> {
    for (const { field, where } of jsonLines(given)) yield [field(source), field(target), where];
  }
  return collect(rows());
}
