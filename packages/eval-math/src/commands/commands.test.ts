/** The commands, on small files and on real ones. */

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parquetWriteFile } from 'hyparquet-writer';
import type { Host } from '@heddle/core';
import { describe, expect, it } from 'vitest';
import { commands } from '../commands.js';

const data = fileURLToPath(new URL('../../../../../shared/data/math', import.meta.url));
const golden = fileURLToPath(new URL('../../../../../shared/golden/math-grading', import.meta.url));
const folder = (): Promise<string> => mkdtemp(join(tmpdir(), 'eval-math-'));

async function run(
  name: string,
  options: Readonly<Record<string, unknown>>,
  args: readonly string[] = [],
  signal = new AbortController().signal,
): Promise<{ code: number; out: string[]; notes: string[] }> {
  const [out, notes]: [string[], string[]] = [[], []];
  const command = commands.find(one => one.name === name)!;
  const code = await command.run(
    {
      args,
      options: { workers: '0', ...options },
      signal,
      print: text => void out.push(text),
      note: text => void notes.push(text),
    },
    {} as Host,
  );
  return { code, out, notes };
}

describe('heddle grade', () => {
  it('explains one pair', async () => {
    const { code, out } = await run('grade', { explain: true }, ['\\frac12', 'The answer is $0.5$.']);
    expect(code).toBe(0);
    expect(out.join('\n')).toMatch(/^CORRECT {2}'0.5' is the same as the reference '\\frac12'/);
    expect(out.join('\n')).toContain('normal form of the answer  1/2');
  });

  it.each(['0', '2'])('grades a file line by line with %s workers', async workers => {
    const path = join(await folder(), 'answers.jsonl');
    await writeFile(
      path,
      '{"id":"a","gold":"1/2","pred":"0.5"}\n{"gold":2,"completion":"so \\\\boxed{3}"}\n\n{"gold":"4","pred":"dunno, sorry, I cannot say"}\n',
    );
    const { out, notes } = await run('grade', { input: path, json: true, workers });
    expect(out.map(line => JSON.parse(line) as unknown)).toMatchObject([
      { line: 1, id: 'a', verdict: 'correct' },
      { line: 2, verdict: 'incorrect' },
      { line: 4, verdict: 'unparsed', stage: 'extract-answer' },
    ]);
    expect(notes.join('\n')).toMatch(/3 pairs .* 1 \(33\.3 %\) correct, 1 incorrect, 1 unparsed, 0 undecided/);
  });

  it('writes a file whole or not at all', async () => {
    const dir = await folder();
    const input = join(dir, 'answers.jsonl');
    await writeFile(input, '{"gold":"1","pred":"1"}\n');
    await run('grade', { input, output: join(dir, 'good.jsonl') });
    expect(JSON.parse(await readFile(join(dir, 'good.jsonl'), 'utf8'))).toMatchObject({ verdict: 'correct' });
    await writeFile(input, '{"gold":"1","pred":"1"}\nbroken\n');
    await expect(run('grade', { input, output: join(dir, 'bad.jsonl') })).rejects.toMatchObject({
      code: 'E_JSON',
      message: expect.stringContaining('line 2'),
    });
    expect((await readdir(dir)).toSorted()).toEqual(['answers.jsonl', 'good.jsonl']);
  });

  it('says what to do', async () => {
    const input = join(await folder(), 'a.jsonl');
    await writeFile(input, '{"gold":"1","text":"1"}\n');
    await expect(run('grade', { input })).rejects.toMatchObject({
      code: 'E_JSON',
      message: expect.stringContaining("expected a text at 'pred' or 'completion', received gold, text"),
    });
    await expect(run('grade', {})).rejects.toMatchObject({ code: 'E_OPTION' });
    await expect(run('grade', { input, places: 'x' })).rejects.toMatchObject({ code: 'E_OPTION' });
    await expect(run('grade', { input: `${input}.gone` })).rejects.toMatchObject({ code: 'E_FILE' });
    await expect(run('grade', { explain: true }, ['1'])).rejects.toMatchObject({ code: 'E_OPTION' });
  });
});

describe('heddle eval-math', () => {
  it('grades completions of problems in parquet, and compares two runs', async () => {
    const dir = await folder();
    parquetWriteFile({
      filename: join(dir, 'mine.parquet'),
      columnData: [
        { name: 'id', data: ['a', 'b', 'c'], type: 'STRING' },
        { name: 'problem', data: ['1+1', '2+2', '3+3'], type: 'STRING' },
        { name: 'answer', data: ['2', '4', '6'], type: 'STRING' },
      ],
    });
    const score = async (name: string, texts: readonly string[]): Promise<void> => {
      await writeFile(
        join(dir, `${name}.jsonl`),
        ['a', 'b', 'c'].map((id, i) => JSON.stringify({ id, completion: texts[i] })).join('\n'),
      );
      const { out } = await run('eval-math run', {
        problems: join(dir, 'mine.parquet'),
        completions: join(dir, `${name}.jsonl`),
        out: join(dir, name),
      });
      expect(out.join('\n')).toContain('mine: 3 problems, 1 sample each');
    };
    await score('first', ['\\boxed{2}', '\\boxed{5}', '\\boxed{5}']);
    await score('second', ['\\boxed{2}', '\\boxed{4}', '\\boxed{6}']);
    const { out } = await run('eval-math compare', { json: true }, [join(dir, 'first'), join(dir, 'second')]);
    expect(JSON.parse(out[0]!)).toMatchObject({
      problems: 3,
      difference: 2 / 3,
      better: 2,
      worse: 0,
      differing: ['model'],
    });
  });

  it('says what to do', async () => {
    const dir = await folder();
    await expect(run('eval-math run', {})).rejects.toMatchObject({ code: 'E_OPTION' });
    await writeFile(join(dir, 'c.jsonl'), '{"id":"a","completion":"1"}\n');
    await expect(run('eval-math run', { completions: join(dir, 'c.jsonl') })).rejects.toMatchObject({
      code: 'E_OPTION',
      message: expect.stringContaining('--benchmark'),
    });
    await expect(run('eval-math run', { completions: join(dir, 'c.jsonl'), benchmark: 'nope' })).rejects.toMatchObject({
      code: 'E_BENCHMARK',
    });
  });

  const here = existsSync(data) && existsSync(golden);
  const missing = here ? '' : ' (../shared/data/math is not here)';

  it.skipIf(!here)(`reads every set of ../shared/data/math${missing}`, async () => {
    const { benchmarks } = await import('../benchmark/problems.js');
    const { benchmarkFile, readProblems } = await import('../benchmark/files.node.js');
    const { grade } = await import('../grade.js');
    let read = 0;
    for (const { name, files } of benchmarks) {
      if (!files.some(file => existsSync(join(data, `${file}.jsonl`)))) continue; // AIME25 is kept elsewhere
      read++;
      const problems = await readProblems(benchmarkFile(name, data));
      const same = problems
        .slice(0, 300)
        .map(({ gold }) => [gold, grade(gold, `So it is $\\boxed{${gold}}$.`).verdict] as const);
      // A reference is its own right answer.
      expect(same.filter(([, verdict]) => verdict === 'correct').length / same.length, name).toBeGreaterThan(0.97);
    }
    expect(read).toBeGreaterThan(15);
  });

  it.skipIf(!here)(`scores the completions of ../shared/golden${missing}`, async () => {
    const dir = await folder();
    const { out } = await run('eval-math run', {
      completions: join(golden, 'math-completions.public.jsonl'),
      out: dir,
      json: true,
    });
    const { scores } = JSON.parse(out[0]!) as {
      scores: { problems: number; samples: number; mean: { value: number; low: number; high: number } };
    };
    // 423 of 480 by the graders' own verdicts.
    expect(scores).toMatchObject({ problems: 60, samples: 8 });
    expect(scores.mean.value).toBeCloseTo(423 / 480, 9);
    expect(scores.mean.low).toBeLessThan(scores.mean.value);
    expect((await readdir(dir)).toSorted()).toEqual(['report.html', 'samples.jsonl', 'scores.json']);
  });
});
