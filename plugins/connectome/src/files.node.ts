/** Subjects from files. Under Node only; elsewhere, make them of matrices. */

import { fail } from '@heddle/core';
import { readNpy } from './npy.js';
import { pearson } from './pearson.js';
import { checkMatrix, type Subject } from './subject.js';
import { numbersOf, recordsOf } from './table.js';

export interface ReadSubjectsOptions {
  /**
   * A folder with a file for each subject, found by the id that its name begins with; or one `.npy` of all matrices,
   * [N, R, R], in the order of the table.
   */
  readonly matrices: string;
  /** A CSV with a row for each subject. */
  readonly table: string;
  /**
   * What files hold: correlation matrices, or time series (a row for each moment) to correlate. Default: `series` for `.1D`
   * files, as the Preprocessed Connectomes Project has them, else `matrix`.
   */
  readonly kind?: 'matrix' | 'series';
  /** What a cell of a matrix that is no number becomes: an error, or no correlation. Default `fail`. */
  readonly missing?: 'fail' | 'zero';
  /** Column of ids. Default: `FILE_ID` (ABIDE), else `id`. */
  readonly id?: string;
  /** Column of labels. Default: `DX_GROUP` (ABIDE), else `label`. */
  readonly label?: string;
  /** Value of label 1; all others are 0. Default `1`: in ABIDE autism, 2 being controls. */
  readonly positive?: string;
  /** Column of sites. Default: `SITE_ID` (ABIDE), else `site`; without such a column all are of one site. */
  readonly site?: string;
}

export interface SubjectReading {
  readonly subjects: readonly Subject[];
  /** Rows of the table. */
  readonly seen: number;
  /** Why rows gave no subject, and how many. */
  readonly dropped: readonly { readonly reason: string; readonly count: number; readonly first: string }[];
  /** Constant regions in all time series: their correlations are set to 0. */
  readonly constant: number;
}

/** Endings of files that are looked at. */
const endings = ['.npy', '.csv', '.tsv', '.txt', '.1d'];

/**
 * @throws E_IO, E_COLUMN, E_MATRIX (by file and place), E_EMPTY where no subject is left
 */
export async function readSubjects(options: ReadSubjectsOptions): Promise<SubjectReading> {
  const { matrices, table, missing = 'fail', positive = '1' } = options;
  const records = recordsOf(new TextDecoder().decode(await readFile(table)), table);
  const names = [...(records[0]?.keys() ?? [])];
  const column = (given: string | undefined, usual: readonly string[], needed: boolean): string | null => {
    const found = given ?? usual.find(name => names.includes(name)) ?? null;
    if ((found === null && needed) || (found !== null && !names.includes(found)))
      fail(
        'E_COLUMN',
        `${table}: expected a column ${found ?? usual.join(' or ')}, received ${names.slice(0, 12).join(', ') || 'no rows'}. Name the column in the options.`,
        { table, columns: names },
      );
    return found;
  };
  const [id, label] = [
    column(options.id, ['FILE_ID', 'id'], true)!,
    column(options.label, ['DX_GROUP', 'label'], true)!,
  ];
  const site = column(options.site, ['SITE_ID', 'site'], false);

  const drops = new Map<string, { count: number; readonly first: string }>();
  const drop = (reason: string, first: string): void => {
    const known = drops.get(reason);
    if (known) known.count++;
    else drops.set(reason, { count: 1, first });
  };
  let constant = 0;
  const matrixOf = async (path: string): Promise<Float32Array> => {
    const { data, shape } = await arrayAt(path);
    const kind = options.kind ?? (path.toLowerCase().endsWith('.1d') ? 'series' : 'matrix');
    if (kind === 'matrix') return checkMatrix(data, shape, path, missing);
    if (shape.length !== 2)
      fail('E_MATRIX', `${path}: expected moments x regions, received ${shape.join(' x ')}. Save one subject a file.`, { path, shape }); // prettier-ignore
    const found = pearson(data, shape[0]!, shape[1]!, path);
    constant += found.constant;
    return found.matrix;
  };

  const subjects: Subject[] = [];
  const all = matrices.endsWith('.npy') ? await stackAt(matrices, records.length, missing) : null;
  const files = all === null ? await filesIn(matrices) : [];
  for (const [row, record] of records.entries()) {
    const name = record.get(id)!;
    const where = `${table} row ${row + 2}`;
    if (record.get(label) === '') {
      drop('no label', where);
      continue;
    }
    let matrix: Float32Array;
    if (all !== null) matrix = all[row]!;
    else {
      const own = files.filter(file => file.startsWith(name) && !/[\p{L}\p{N}]/u.test(file.charAt(name.length)));
      if (name === '' || own.length === 0) {
        drop('no file', where);
        continue;
      }
      if (own.length > 1)
        fail(
          'E_DUPLICATE',
          `${where}: expected one file for subject '${name}', received ${own.slice(0, 3).join(', ')}. Leave one in ${matrices}.`,
          { id: name, files: own },
        );
      matrix = await matrixOf(`${matrices}/${own[0]!}`);
    }
    subjects.push({
      id: name,
      matrix,
      label: record.get(label) === positive ? 1 : 0,
      site: site === null ? '' : record.get(site)!,
    });
  }
  if (subjects.length === 0)
    fail(
      'E_EMPTY',
      `${table}: expected subjects with files in ${matrices}, received none of ${records.length}. The name of a file begins with the subject's ${id}.`,
      { table, matrices },
    );
  return {
    subjects,
    seen: records.length,
    dropped: [...drops].map(([reason, { count, first }]) => ({ reason, count, first })),
    constant,
  };
}

/** Numbers of one file, by its ending. */
async function arrayAt(path: string): Promise<{ readonly shape: readonly number[]; readonly data: Float64Array }> {
  const bytes = await readFile(path);
  return path.endsWith('.npy') ? readNpy(bytes, path) : numbersOf(new TextDecoder().decode(bytes), path);
}

async function stackAt(path: string, count: number, missing: 'fail' | 'zero'): Promise<readonly Float32Array[]> {
  const { shape, data } = readNpy(await readFile(path), path);
  const [N, R, C] = shape;
  if (shape.length !== 3 || N !== count)
    fail(
      'E_MATRIX',
      `${path}: expected ${count} matrices, one for each row of the table, received ${shape.join(' x ')}. Save them as one array [N, R, R] in the order of the table.`,
      { path, shape, count },
    );
  const size = R! * C!;
  return Array.from({ length: N! }, (_, i) =>
    checkMatrix(data.subarray(i * size, (i + 1) * size), [R!, C!], `${path} matrix ${i + 1}`, missing),
  );
}

const fs = (): typeof import('node:fs/promises') =>
  globalThis.process?.getBuiltinModule?.('node:fs/promises') ??
  fail(
    'E_IO',
    'files: expected Node 20.16 or newer, received an environment without files. Make subjects of matrices.',
  );

const readFile = async (path: string): Promise<Uint8Array> =>
  fs()
    .readFile(path)
    .catch((error: unknown) => unreadable(path, error));

const filesIn = async (folder: string): Promise<readonly string[]> =>
  (
    await fs()
      .readdir(folder)
      .catch((error: unknown) => unreadable(folder, error))
  ).filter(name => endings.some(ending => name.toLowerCase().endsWith(ending)));

const unreadable = (path: string, error: unknown): never =>
  fail(
    'E_IO',
    `${path}: expected a readable file or folder, received ${(error as { readonly code?: string }).code ?? String(error)}. Check the path and its permissions.`,
    { path },
    error,
  );
