/** Segments from files, a chunk at a time and all in step: plain text, TSV or JSONL. */

import { fail } from '@heddle/core';
import { builtinModule, openLines, type LineFile } from '../files.node.js';
import type { ReferenceStream } from '../corpus.js';
import type { ScoreSettings } from './settings.js';

export interface Chunk {
  /** Index of its first segment. */
  readonly from: number;
  /** By stream, then by segment. */
  readonly references: readonly ReferenceStream[];
  /** By system, then by segment. */
  readonly hypotheses: readonly (readonly string[])[];
  readonly sources: readonly string[] | null;
  readonly documents: readonly string[] | null;
}

export interface Inputs {
  readonly systems: readonly string[];
  /** null at the end. */
  next(): Promise<Chunk | null>;
  /** What was unusual and mended, after the last chunk. */
  notices(): readonly string[];
  close(): Promise<void>;
}

const chunkSize = 1000; // segments

/** @throws E_IO, E_UTF8, E_BINARY, E_ALIGN, E_SAME, E_COLUMN, E_JSON, E_REFERENCE */
export async function openInputs(settings: ScoreSettings): Promise<Inputs> {
  const inputs = await (settings.data === null ? plainFiles(settings) : table(settings, settings.data));
  return watched(inputs, settings);
}

async function plainFiles(settings: ScoreSettings): Promise<Inputs> {
  const { references, hypotheses, sources, documents } = settings;
  await refuseSame(settings);
  const names = [
    ...references,
    ...hypotheses,
    ...(sources === null ? [] : [sources]),
    ...(documents === null ? [] : [documents]),
  ];
  const files = await openAll(names);
  let from = 0;
  return {
    systems: namesOf(hypotheses),
    async next() {
      const parts = await Promise.all(files.map(file => file.next(chunkSize)));
      const size = parts[0]!.length;
      if (parts.some(({ length }) => length !== size)) return refuseLengths(files, parts, from);
      if (size === 0) return null;
      const [r, h] = [references.length, hypotheses.length];
      const chunk: Chunk = {
        from,
        references: parts.slice(0, r),
        hypotheses: parts.slice(r, r + h),
        sources: sources === null ? null : parts[r + h]!,
        documents: documents === null ? null : parts.at(-1)!,
      };
      from += size;
      return chunk;
    },
    notices: () => files.flatMap(({ notices }) => notices),
    close: async () => void (await Promise.all(files.map(file => file.close()))),
  };
}

async function openAll(names: readonly string[]): Promise<readonly LineFile[]> {
  const opened = await Promise.allSettled(names.map(openLines));
  const failed = opened.find(one => one.status === 'rejected');
  const files = opened.flatMap(one => (one.status === 'fulfilled' ? [one.value] : []));
  if (failed === undefined) return files;
  await Promise.all(files.map(file => file.close()));
  throw failed.reason;
}

/** Last parts of paths, as far as they tell the files apart. */
function namesOf(paths: readonly string[]): readonly string[] {
  const { basename } = builtinModule('node:path');
  const short = paths.map(path => basename(path));
  return short.map((name, i) => (short.indexOf(name) === short.lastIndexOf(name) ? name : paths[i]!));
}

/** A reference that is the output scores 100 and says nothing; an output given twice has one name. */
async function refuseSame({ references, hypotheses, force }: ScoreSettings): Promise<void> {
  const fs = builtinModule('node:fs/promises');
  const real = async (path: string): Promise<string> => fs.realpath(path).catch(() => path); // opening says what is wrong
  const [refs, hyps] = [await Promise.all(references.map(real)), await Promise.all(hypotheses.map(real))];
  const both = hyps.findIndex(path => refs.includes(path));
  if (both >= 0 && !force)
    fail(
      'E_SAME',
      `${hypotheses[both]!}: expected a system's output, received a file that is a reference too. Name the right file, or add --force.`,
      { path: hypotheses[both] },
    );
  const twice = hyps.findIndex((path, i) => hyps.indexOf(path) !== i);
  if (twice >= 0)
    fail('E_SAME', `${hypotheses[twice]!}: expected each output once, received it twice. Leave one out.`, {
      path: hypotheses[twice],
    });
}

/** Reads on to the end, so that the message can say how long each file is. */
async function refuseLengths(
  files: readonly LineFile[],
  parts: readonly (readonly string[])[],
  from: number,
): Promise<never> {
  const lengths = await Promise.all(
    files.map(async (file, i) => {
      let length = from + parts[i]!.length;
      let last = parts[i]!.at(-1) ?? '';
      for (let more = await file.next(chunkSize); more.length > 0; more = await file.next(chunkSize)) {
        length += more.length;
        last = more.at(-1)!;
      }
      return { name: file.name, length, last };
    }),
  );
  const [first] = lengths as [(typeof lengths)[0], ...typeof lengths];
  const other = lengths.find(({ length }) => length !== first.length)!;
  const [shorter, longer] = first.length < other.length ? [first, other] : [other, first];
  const hint =
    longer.length === shorter.length + 1 && longer.last.trim() === ''
      ? `The last line of ${longer.name} is empty: take it off.`
      : `${shorter.name} ends before line ${shorter.length + 1} of ${longer.name}. Align them line by line.`;
  return fail(
    'E_ALIGN',
    `${other.name}: expected ${first.length} lines as in ${first.name}, received ${other.length}. ${hint}`,
    {
      lengths: Object.fromEntries(lengths.map(({ name, length }) => [name, length])),
    },
  );
}

/** Columns that are neither references nor outputs unless they are named. */
const besides = ['src', 'source', 'id', 'doc', 'document', 'domain', 'lang', 'language'];
const referenceNames = ['ref', 'reference', 'references', 'refs'];

interface Columns {
  readonly references: readonly string[];
  readonly systems: readonly string[];
  readonly sources: string | null;
  readonly documents: string | null;
}

function columnsOf(settings: ScoreSettings, path: string, known: readonly string[]): Columns {
  const wanted = [
    ...settings.references,
    ...settings.hypotheses,
    ...[settings.sources, settings.documents].filter(one => one !== null),
  ];
  const unknown = wanted.find(name => !known.includes(name));
  if (unknown !== undefined)
    fail('E_COLUMN', `${path}: expected a column '${unknown}', received ${known.join(', ')}. Name one of these.`, {
      path,
      column: unknown,
      known,
    });
  const references =
    settings.references.length > 0
      ? settings.references
      : known.filter(name => referenceNames.includes(name.toLowerCase())).slice(0, 1);
  if (references.length === 0)
    fail('E_COLUMN', `${path}: expected a column of references, received ${known.join(', ')}. Say which with --ref.`, {
      path,
      known,
    });
  const taken = [...references, settings.sources, settings.documents];
  const systems =
    settings.hypotheses.length > 0
      ? settings.hypotheses
      : known.filter(
          name =>
            !taken.includes(name) &&
            !besides.includes(name.toLowerCase()) &&
            !referenceNames.includes(name.toLowerCase()),
        );
  if (systems.length === 0)
    fail(
      'E_COLUMN',
      `${path}: expected a column with a system's output, received ${known.join(', ')}. Say which with --hyp.`,
      { path, known },
    );
  const both = systems.find(name => references.includes(name));
  if (both !== undefined && !settings.force)
    fail(
      'E_SAME',
      `${path}: expected a system's output in column '${both}', received a column that is a reference too. Name another.`,
      { path, column: both },
    );
  const first = (names: readonly string[]): string | null =>
    known.find(name => names.includes(name.toLowerCase())) ?? null;
  return { references, systems, sources: settings.sources ?? first(['src', 'source']), documents: settings.documents };
}

/** One line of a table: a text for each column, or a list of texts for references. */
type Cells = (column: string) => unknown;

async function table(settings: ScoreSettings, path: string): Promise<Inputs> {
  const file = await openLines(path);
  try {
    return await tableOf(settings, file, /\.jsonl?$|\.ndjson$/i.test(path) ? jsonLines : tabbed);
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Format {
  /** Lines before the first row. */
  readonly head: number;
  columns(line: string, path: string): readonly string[];
  cells(line: string, number: number, columns: readonly string[], path: string): Cells;
}

const tabbed: Format = {
  head: 1,
  columns: line => line.split('\t'),
  cells(line, number, columns, path) {
    const fields = line.split('\t');
    if (fields.length !== columns.length)
      fail(
        'E_COLUMN',
        `${path}: expected ${columns.length} fields in line ${number}, as the first line names, received ${fields.length}. A tab within a text parts it: replace such tabs.`,
        { path, line: number },
      );
    return column => fields[columns.indexOf(column)];
  },
};

const jsonLines: Format = {
  head: 0,
  columns: (line, path) => Object.keys(objectIn(line, 1, path)),
  cells(line, number, _, path) {
    const row = objectIn(line, number, path);
    return column => (Object.hasOwn(row, column) ? row[column] : undefined);
  },
};

function objectIn(line: string, number: number, path: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    return fail(
      'E_JSON',
      `${path}: expected a JSON object in line ${number}, received ${JSON.stringify(line.slice(0, 60))} (${(error as Error).message}). Correct the line.`,
      { path, line: number },
      error,
    );
  }
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : fail(
        'E_JSON',
        `${path}: expected a JSON object in line ${number}, received ${JSON.stringify(value).slice(0, 60)}. Correct the line.`,
        { path, line: number },
      );
}

async function tableOf(settings: ScoreSettings, file: LineFile, format: Format): Promise<Inputs> {
  const path = file.name;
  const [first] = await file.next(1);
  if (first === undefined)
    return fail('E_EMPTY', `${path}: expected segments, received an empty file. Name another.`, { path });
  const known = format.columns(first, path);
  const columns = columnsOf(settings, path, known);
  let pending: readonly string[] = format.head === 0 ? [first] : [];
  let from = 0;

  const textAt = (cells: Cells, column: string, line: number): string => {
    const value = cells(column);
    return typeof value === 'string'
      ? value
      : fail(
          'E_COLUMN',
          `${path}: expected a text under '${column}' in line ${line}, received ${JSON.stringify(value) ?? 'nothing'}. Correct the line.`,
          { path, line, column },
        );
  };
  const referencesAt = (cells: Cells, line: number): readonly (string | null)[] =>
    columns.references.flatMap(column => {
      const value = cells(column);
      if (value === null || value === undefined) return [null];
      const texts: readonly unknown[] = Array.isArray(value) ? value : [value];
      const strange = texts.find(text => text !== null && typeof text !== 'string');
      return strange === undefined
        ? (texts as (string | null)[])
        : fail(
            'E_COLUMN',
            `${path}: expected a text or a list of texts under '${column}' in line ${line}, received ${JSON.stringify(strange)}. Correct the line.`,
            { path, line, column },
          );
    });

  return {
    systems: columns.systems,
    async next() {
      const lines = [...pending, ...(await file.next(chunkSize - pending.length))];
      pending = [];
      if (lines.length === 0) return null;
      const rows = lines.map((line, i) => {
        const number = from + format.head + i + 1;
        return { number, cells: format.cells(line, number, known, path) };
      });
      const given = rows.map(({ cells, number }) => referencesAt(cells, number));
      const streams = Math.max(...given.map(({ length }) => length));
      const chunk: Chunk = {
        from,
        references: Array.from({ length: streams }, (_, r) => given.map(texts => texts[r] ?? null)),
        hypotheses: columns.systems.map(column => rows.map(({ cells, number }) => textAt(cells, column, number))),
        sources:
          columns.sources === null
            ? null
            : rows.map(({ cells }) => {
                const value = cells(columns.sources!);
                return typeof value === 'string' ? value : '';
              }),
        documents: columns.documents === null ? null : rows.map(({ cells }) => String(cells(columns.documents!) ?? '')),
      };
      from += lines.length;
      return chunk;
    },
    notices: () => file.notices,
    close: () => file.close(),
  };
}

/** Lines of a list for people: `3, 8, 15 and 40 more`. */
const some = (numbers: readonly number[], count: number): string => {
  const shown = numbers.slice(0, 5).join(', ');
  return count > 5 ? `${shown} and ${count - 5} more` : shown;
};

/** Looks at what passes through: empty lines, outputs that are the reference, text that is tokenised already. */
function watched(inputs: Inputs, { references: files, missing }: ScoreSettings): Inputs {
  const empty = new Map<string, { count: number; lines: number[] }>();
  const equal = inputs.systems.map(() => true);
  const tokenised = inputs.systems.map(() => 0);
  let segments = 0;
  const note = (name: string, segment: number): void => {
    const known = empty.get(name) ?? { count: 0, lines: [] };
    empty.set(name, known);
    known.count++;
    if (known.lines.length < 5) known.lines.push(segment + 1);
  };
  return {
    ...inputs,
    async next() {
      const chunk = await inputs.next();
      if (chunk === null) {
        if (segments === 0)
          fail('E_EMPTY', `${files[0] ?? 'data'}: expected segments, received none. Name another file.`);
        return null;
      }
      const references = missing
        ? chunk.references.map(stream => stream.map(text => (text === null || text.trim() === '' ? null : text)))
        : chunk.references;
      const size = chunk.hypotheses[0]!.length;
      segments += size;
      for (let i = 0; i < size; i++) {
        if (references.every(stream => stream[i] === null))
          fail(
            'E_REFERENCE',
            `segment ${chunk.from + i + 1}: expected a reference, received none in any file. Leave the segment out of all files, or give one.`,
            { segment: chunk.from + i + 1 },
          );
        for (const [r, stream] of references.entries())
          if (stream[i] !== null && stream[i]!.trim() === '') note(files[r] ?? `reference ${r + 1}`, chunk.from + i);
        for (const [s, system] of chunk.hypotheses.entries()) {
          const text = system[i]!;
          if (text.trim() === '') note(inputs.systems[s]!, chunk.from + i);
          if (text !== references[0]?.[i]) equal[s] = false;
          if (text.endsWith(' .')) tokenised[s]! += 1;
        }
      }
      return { ...chunk, references };
    },
    notices: () => [
      ...inputs.notices(),
      ...[...empty].map(
        ([name, { count, lines }]) =>
          `${name}: ${count} empty ${count === 1 ? 'line' : 'lines'} (${some(lines, count)}), scored as ${count === 1 ? 'it is' : 'they are'}`,
      ),
      ...inputs.systems
        .filter((_, s) => equal[s])
        .map(name => `${name}: every line is that of the first reference; is it the right file?`),
      ...inputs.systems
        .filter((_, s) => tokenised[s]! >= 100)
        .map(
          name =>
            `${name}: ${tokenised[inputs.systems.indexOf(name)]!} lines end in a full stop parted by a space; BLEU wants text that is not tokenised`,
        ),
    ],
  };
}
