import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { npyBytes } from '../fixtures/npy-bytes.js';
import { readSubjects } from './files.node.js';

let folder: string;
const path = (name: string): string => join(folder, name);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heddle-connectome-'));
  await mkdir(path('m'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('reading subjects', () => {
  it('takes matrices of any kind, and says who was left out', async () => {
    await writeFile(path('m/a.npy'), npyBytes([2, 2], [1, 0.5, 0.5, 1]));
    await writeFile(path('m/b_rois.csv'), '1,0.25\n0.25,1\n');
    await writeFile(path('m/c.txt'), '1 -0.5\n-0.5 1\n');
    await writeFile(path('m/notes.md'), 'x');
    await writeFile(path('table.csv'), 'id,label,site\na,1,X\nb,2,Y\nc,,Y\nd,1,Y\n');
    const { subjects, seen, dropped } = await readSubjects({ matrices: path('m'), table: path('table.csv') });
    expect(subjects).toEqual([
      { id: 'a', label: 1, site: 'X', matrix: Float32Array.of(1, 0.5, 0.5, 1) },
      { id: 'b', label: 0, site: 'Y', matrix: Float32Array.of(1, 0.25, 0.25, 1) },
    ]);
    expect(seen).toBe(4);
    expect(dropped).toEqual([
      { reason: 'no label', count: 1, first: expect.stringContaining('row 4') },
      { reason: 'no file', count: 1, first: expect.stringContaining('row 5') },
    ]);
  });

  it('takes ABIDE as the Preprocessed Connectomes Project has it', async () => {
    await writeFile(path('m/Pitt_0050003_rois_cc200.1D'), '#1\t#2\t#3\n1\t2\t0\n2\t4\t0\n3\t5\t0\n');
    await writeFile(
      path('table.csv'),
      ',FILE_ID,DX_GROUP,SITE_ID\n0,no_filename,1,PITT\n1,Pitt_0050003,1,PITT\n2,Pitt_005000,2,PITT\n',
    );
    const { subjects, dropped, constant } = await readSubjects({ matrices: path('m'), table: path('table.csv') });
    expect(subjects).toMatchObject([{ id: 'Pitt_0050003', label: 1, site: 'PITT' }]);
    // By hand: covariance 1.5, variances 1 and 7/3.
    expect(subjects[0]!.matrix[1]).toBeCloseTo(1.5 / Math.sqrt(7 / 3), 6);
    expect([constant, dropped[0]!.count]).toEqual([1, 2]);
  });

  it('takes one array of all', async () => {
    await writeFile(path('all.npy'), npyBytes([2, 2, 2], [1, 0.5, 0.5, 1, 1, 0.25, 0.25, 1]));
    await writeFile(path('table.csv'), 'name,asd\na,yes\nb,no\n');
    const options = { matrices: path('all.npy'), table: path('table.csv'), id: 'name', label: 'asd', positive: 'yes' };
    expect((await readSubjects(options)).subjects.map(({ id, label, matrix }) => [id, label, matrix[1]])).toEqual([
      ['a', 1, 0.5],
      ['b', 0, 0.25],
    ]);
    await writeFile(path('table.csv'), 'name,asd\na,yes\n');
    await expect(readSubjects(options)).rejects.toMatchObject({
      code: 'E_MATRIX',
      message: expect.stringContaining('2 x 2 x 2'),
    });
  });

  it('refuses by name what is wrong', async () => {
    await writeFile(path('table.csv'), 'id,label\na,1\n');
    const options = { matrices: path('m'), table: path('table.csv') };
    await expect(readSubjects(options)).rejects.toMatchObject({ code: 'E_EMPTY' });
    await writeFile(path('m/a.npy'), npyBytes([2, 2], [1, 2, 2, 1]));
    await expect(readSubjects(options)).rejects.toMatchObject({
      code: 'E_MATRIX',
      message: expect.stringMatching(/a\.npy: row 1, column 2/),
    });
    await writeFile(path('m/a_2.npy'), npyBytes([2, 2], [1, 0, 0, 1]));
    await expect(readSubjects(options)).rejects.toMatchObject({ code: 'E_DUPLICATE' });
    await expect(readSubjects({ ...options, site: 'place' })).rejects.toMatchObject({
      code: 'E_COLUMN',
      message: expect.stringContaining('id, label'),
    });
    await expect(readSubjects({ ...options, table: path('none.csv') })).rejects.toMatchObject({ code: 'E_IO' });
    await expect(readSubjects({ ...options, matrices: path('none') })).rejects.toMatchObject({ code: 'E_IO' });
  });
});
