/** Problems from files as data sets ship them. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fileOfProblems } from './problem-file.js';

let folder: string;
beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'problems-'))));
afterAll(() => rm(folder, { recursive: true }));

const rows = [
  { question: '6 times 7?', answer: '6*7=42\n#### 42' },
  { question: 'A half of 9?', answer: 'It is\n#### 4.5' },
];

it('parquet gives the problems that JSON lines give, and either is named by its content', async () => {
  const lines = join(folder, 'gsm8k.jsonl');
  await writeFile(lines, rows.map(row => JSON.stringify(row)).join('\n'));
  const columns = ['question', 'answer'] as const;
  const parquet = join(folder, 'gsm8k.parquet');
  const bytes = parquetWriteBuffer({ columnData: columns.map(name => ({ name, data: rows.map(row => row[name]) })) });
  await writeFile(parquet, new Uint8Array(bytes));
  const [one, other] = [await fileOfProblems('easy', lines), await fileOfProblems('easy', parquet)];
  const problems = (pool: typeof one) => [0, 1].map(i => [pool.learn(i).problem, pool.learn(i).answer]);
  expect(problems(one)).toEqual([['6 times 7?', '42'], ['A half of 9?', '4.5']]); // prettier-ignore
  expect(problems(other)).toEqual(problems(one));
  expect([one.count, other.count]).toEqual([2, 2]);
  expect(one.id).toMatch(/^easy\/[0-9a-f]{64}$/);
  expect(other.id).not.toBe(one.id);
});

it('parquet of chats with the answer beside them, as DAPO has it', async () => {
  const path = join(folder, 'dapo.parquet');
  const prompt = [
    JSON.stringify([{ role: 'user', content: '1+1?' }]),
    JSON.stringify([{ role: 'user', content: '2+2?' }]),
  ];
  const bytes = parquetWriteBuffer({
    columnData: [
      { name: 'prompt', data: prompt.map(text => JSON.parse(text) as unknown), type: 'JSON' },
      { name: 'reward_model', data: [{ ground_truth: '2', style: 'rule' }, { ground_truth: '4', style: 'rule' }], type: 'JSON' },
    ],
  }); // prettier-ignore
  await writeFile(path, new Uint8Array(bytes));
  const pool = await fileOfProblems('dapo', path);
  expect([0, 1].map(i => [pool.learn(i).problem, pool.learn(i).answer])).toEqual([['1+1?', '2'], ['2+2?', '4']]); // prettier-ignore
});

it('a file that is no parquet is named', async () => {
  const path = join(folder, 'broken.parquet');
  await writeFile(path, 'PAR1 but not really PAR1');
  await expect(fileOfProblems('x', path)).rejects.toMatchObject({
    code: 'E_FILE',
    message: expect.stringContaining(path),
  });
  await expect(fileOfProblems('x', join(folder, 'missing.parquet'))).rejects.toMatchObject({ code: 'E_IO' });
});
