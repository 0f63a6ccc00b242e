/** `heddle classify` through the command: generated subjects, files, a kill, and what cannot be. */

import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSubjects } from '@heddle/connectome';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { heddle } from './support/command.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'classify-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

const classify = (args: readonly string[], kill?: RegExp) => heddle(['classify', ...args], kill);
const small = '--subjects 60 --regions 12 --effect 1 --steps 40 --splits 2 --width 16 --depth 1 --json'.split(' ');
interface Result {
  readonly model: string;
  readonly split: number;
  readonly parameters: number;
  readonly subjects: number;
  readonly auroc: number;
}
const resultsOf = (stdout: string): readonly Result[] =>
  stdout.split('\n').filter(line => line.startsWith('{"type":"report"')).flatMap(line => (JSON.parse(line) as { readonly results: readonly Result[] }).results); // prettier-ignore

describe('heddle classify', { timeout: 300_000 }, () => {
  let whole: readonly Result[];

  it('teaches every model on every split, about equally large, and tells groups apart that are far apart', async () => {
    const { code, stdout } = await classify([...small, '--out', join(folder, 'one')]);
    expect(code).toBe(0);
    whole = resultsOf(stdout);
    expect(whole.map(({ model, split }) => `${model} ${split}`)).toEqual(['baseline 0', 'baseline 1', 'emha 0', 'emha 1', 'partial 0', 'partial 1']); // prettier-ignore
    const sizes = whole.map(({ parameters }) => parameters);
    expect(Math.max(...sizes) / Math.min(...sizes)).toBeLessThan(1.1);
    // Chance is 0.5, with a standard deviation of about 0.17 for 12 subjects; of six at once the mean is surely above.
    expect(whole.reduce((sum, { auroc }) => sum + auroc, 0) / 6).toBeGreaterThan(0.75);
    const page = await readFile(join(folder, 'one', 'report.html'), 'utf8');
    for (const title of ['AUROC', 'Split by split', '<figcaption>accuracy']) expect(page).toContain(title);
    const again = await classify([...small, '--out', join(folder, 'one')]);
    expect(again.stdout).not.toContain('"step.finished"');
    expect(resultsOf(again.stdout)).toEqual(whole);
  });

  it('killed, goes on to the same scores', async () => {
    const killed = await classify([...small, '--out', join(folder, 'two')], /"stage":"emha, split 0"/);
    expect(killed.code).toBeNull();
    expect(resultsOf((await classify([...small, '--out', join(folder, 'two')])).stdout)).toEqual(whole);
  });

  it('reads subjects from files, and says what it left out', async () => {
    const matrices = join(folder, 'matrices');
    await mkdir(matrices);
    const subjects = generateSubjects({ subjects: 24, regions: 6, networks: 3, sites: 1, effect: 1, seed: 2 });
    for (const { id, matrix } of subjects) {
      const rows = Array.from({ length: 6 }, (_, i) => Array.from(matrix.slice(6 * i, 6 * i + 6), x => x.toFixed(7)).join(',')); // prettier-ignore
      await writeFile(join(matrices, `${id}_matrix.csv`), `${rows.join('\n')}\n`);
    }
    const table = join(folder, 'table.csv');
    const rows = subjects.map(({ id, label }) => `${id},${label === 1 ? 1 : 2},here`);
    await writeFile(table, `FILE_ID,DX_GROUP,SITE_ID\n${[...rows, 'nobody,1,here'].join('\n')}\n`);
    const { code, stdout } = await classify(['--matrices', matrices, '--table', table, '--models', 'baseline', '--splits', '1', '--steps', '3', '--width', '8', '--batch', '4', '--out', join(folder, 'files')]); // prettier-ignore
    expect(code).toBe(0);
    expect(stdout).toMatch(/Subjects: 24 of .*, 6 regions each/);
    expect(stdout).toMatch(/left out, .*: 1/);
    expect(stdout).toMatch(/baseline +[\d,]+ /);
  });

  it.each([
    [['--models', 'magic'], /E_OPTION.*received 'magic'/],
    [['--table', 'x.csv'], /E_OPTION.*--matrices and --table together/],
    [['--matrices', 'nowhere', '--table', 'nothing.csv'], /E_(IO|FILE).*nothing.csv/],
    [['--effect', '2'], /E_OPTION.*effect/],
  ])('%j is refused', async (args, message) => {
    const { code, stderr } = await classify([...args, '--out', join(folder, 'none')]);
    expect(code).not.toBe(0);
    expect(stderr).toMatch(message);
  });
});
