/** The M2 format of grammatical error correction (Dahlmeier and Ng 2012): `S` source tokens, then an `A` line for each edit. */

import { fail } from '@heddle/core';
import { trim, words } from '../text/whitespace.js';

export interface M2Edit {
  /** Tokens of the source that it replaces: [start, end); -1 for `noop`, which says that nothing is wrong. */
  readonly start: number;
  readonly end: number;
  /** Type of the error, as the annotator's scheme names it. */
  readonly type: string;
  /** The correction as it stands in the file; alternatives are parted by `||`. */
  readonly correction: string;
  readonly annotator: number;
}

export interface M2Sentence {
  readonly source: string;
  readonly edits: readonly M2Edit[];
}

/**
 * @param name names the text in messages: a file
 * @throws E_EDITS with the line
 */
export function parseM2(text: string, name = 'M2'): readonly M2Sentence[] {
  const sentences: { source: string; edits: M2Edit[] }[] = [];
  let current: { source: string; edits: M2Edit[] } | null = null;
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    const refuse = (expected: string): never =>
      fail(
        'E_EDITS',
        `${name}: expected ${expected} in line ${at + 1}, received ${JSON.stringify(line.slice(0, 80))}. Correct the line.`,
        { name, line: at + 1 },
      );
    if (line.trim() === '') {
      current = null;
    } else if (/^S( |$)/.test(line)) {
      if (current !== null) refuse('an empty line between sentences');
      current = { source: trim(line.slice(2)), edits: [] };
      sentences.push(current);
    } else if (line.startsWith('A ')) {
      if (current === null) return refuse('a source (S …) before its edits');
      current.edits.push(editOf(line.slice(2), refuse));
    } else if (!line.startsWith('I ')) refuse('a source (S …), an edit (A …) or an empty line');
  }
  return sentences;
}

function editOf(text: string, refuse: (expected: string) => never): M2Edit {
  const fields = text.split('|||');
  if (fields.length < 6) refuse('an edit of six fields parted by |||');
  const [start, end] = words(fields[0]!).map(Number) as [number, number];
  const annotator = Number(fields.at(-1));
  if (!Number.isInteger(annotator) || annotator < 0) refuse('the number of an annotator in the last field');
  const noop = fields[1] === 'noop' || start === -1;
  // Places behind the end occur in real annotations (JFLEG's among them), so they are no error here.
  if (!noop && !(Number.isInteger(start) && Number.isInteger(end) && 0 <= start && start <= end))
    refuse('two places, such as 3 4, with the first not behind the second');
  return {
    start: noop ? -1 : start,
    end: noop ? -1 : end,
    type: fields[1]!,
    correction: fields[2]!,
    annotator,
  };
}

/** Edits by annotator, in order of appearance; one annotator without edits where there is none. */
export function byAnnotator(edits: readonly M2Edit[]): ReadonlyMap<number, readonly M2Edit[]> {
  const found = new Map<number, M2Edit[]>();
  for (const edit of edits) {
    const own = found.get(edit.annotator);
    if (own === undefined) found.set(edit.annotator, [edit]);
    else own.push(edit);
  }
  return found.size > 0 ? found : new Map([[0, []]]);
}
