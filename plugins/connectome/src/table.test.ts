import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { numbersOf, recordsOf } from './table.js';

describe('tables of numbers', () => {
  it.each(['1,2\n3,nan\n', '1\t2\t\r\n3\tnan\t\r\n', '#a\tb\n1 2\n\n3 NaN', 'x,y\n1, 2\n3, NA'])('%j is read', text => {
    expect(numbersOf(text, 'a.csv')).toEqual({ shape: [2, 2], data: Float64Array.of(1, 2, 3, Number.NaN) });
  });

  it.each([
    ['1,2\n3,x\n', 'E_MATRIX', 'line 2: .*column 2'],
    ['1,2\n3\n', 'E_MATRIX', 'line 2: expected 2'],
    ['# nothing\n', 'E_EMPTY', ''],
  ])('%j is refused', (text, code, words) => {
    expect(() => numbersOf(text, 'a.csv')).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(`^a.csv.*${words}`) }),
    );
  });
});

describe('tables of subjects', () => {
  it('are read with their quotes', () => {
    const rows = recordsOf('\ufeffid,"a ""note"""\r\n1,"x, y\nz"\r\n2,\n', 'a.csv');
    expect(rows.map(row => Object.fromEntries(row))).toEqual([
      { id: '1', 'a "note"': 'x, y\nz' },
      { id: '2', 'a "note"': '' },
    ]);
    expect(() => recordsOf('a,b\n1\n', 'a.csv')).toThrow(expect.objectContaining({ code: 'E_COLUMN' }));
    expect(recordsOf('', 'a.csv')).toEqual([]);
  });

  const abide = fileURLToPath(new URL('../../../../shared/data/brain/abide1_phenotypic.csv', import.meta.url));
  it.skipIf(!existsSync(abide))('ABIDE I has who its authors counted (skipped where ../shared is not there)', () => {
    const rows = recordsOf(readFileSync(abide, 'utf8'), 'abide.csv');
    const having = (column: string, value: string) => rows.filter(row => row.get(column) === value).length;
    // Di Martino et al. 2014: 539 with autism, 573 controls; preprocessed are 1035 of them.
    expect([having('DX_GROUP', '1'), having('DX_GROUP', '2')]).toEqual([539, 573]);
    expect(rows.length - having('FILE_ID', 'no_filename')).toBe(1035);
  });
});
