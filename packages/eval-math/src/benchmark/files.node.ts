/** Files of problems, of completions, of results, and the cache of completions. */

import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fail } from '@heddle/core';
import { atomicWriteFile } from '@heddle/core/node';
import { jsonLines, plain } from '../commands/lines.node.js';
import type { Evaluation, RawCompletion } from './evaluate.js';
import type { Generated } from './generate.js';
import { benchmarks, problemOf, type Problem } from './problems.js';
import { reportHtml } from './report.js';
import type { Cache } from './run.js';

type Row = Readonly<Record<string, unknown>>;

/** @throws E_FILE */
export async function parquetRows(path: string): Promise<readonly Row[]> {
  const { asyncBufferFromFile, parquetReadObjects } = await import('hyparquet');
  try {
    return await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  } catch (error) {
    return fail(
      'E_FILE',
      `${path}: expected a parquet file, received: ${error instanceof Error ? error.message : String(error)}. Check the file; codecs beyond snappy need another one.`,
      { path },
      error,
    );
  }
}

/** Rows of a JSON-lines, JSON or parquet file. */
async function* rowsOf(path: string): AsyncGenerator<Row> {
  if (path.endsWith('.parquet')) yield* await parquetRows(path);
  else for await (const { value } of jsonLines(path)) yield value;
}

/** The file of a known set below a folder. @throws E_BENCHMARK */
export function benchmarkFile(name: string, folder: string): string {
  const known = benchmarks.find(one => one.name === name);
  if (!known)
    return fail(
      'E_BENCHMARK',
      `benchmark '${name}': expected one of ${benchmarks.map(one => one.name).join(', ')}, or a file, received '${name}'. Give --problems FILE for your own.`,
      { name },
    );
  for (const file of known.files)
    for (const ending of ['.jsonl', '.parquet'])
      if (existsSync(join(folder, file + ending))) return join(folder, file + ending);
  return fail(
    'E_BENCHMARK',
    `benchmark '${name}': expected ${known.files.map(file => `${file}.jsonl`).join(' or ')} in ${folder}, received no such file. Name the folder with --data.`,
    { name, folder },
  );
}

/**
 * @param note told how many problems were left out because their answer is empty
 * @throws E_BENCHMARK, E_JSON, E_FILE
 */
export async function readProblems(path: string, note?: (text: string) => void): Promise<readonly Problem[]> {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  let [at, empty] = [0, 0];
  for await (const row of rowsOf(path)) {
    const problem = problemOf(row, at++, `${basename(path)}, row ${at}`);
    if (problem === null) {
      empty++;
      continue;
    }
    if (seen.has(problem.id))
      fail(
        'E_BENCHMARK',
        `${basename(path)}, row ${at}: expected an id of its own, received '${problem.id}' a second time. Make ids unique.`,
        { path },
      );
    seen.add(problem.id);
    problems.push(problem);
  }
  if (empty > 0) note?.(`${basename(path)}: ${empty} of ${at} problems have no answer and are left out`);
  if (problems.length === 0)
    fail('E_EMPTY', `${path}: expected at least one problem, received none. Check the file.`, { path });
  return problems;
}

export interface CompletionFile {
  readonly completions: readonly RawCompletion[];
  /** Problems that the file itself holds, for files with questions and references in them. */
  readonly problems: readonly Problem[];
}

/**
 * Completions by problem: rows with `id` and `completion` (or `text`, `output`, `response`), or with `completions`, a list
 * of texts or of objects with one of those fields. Rows may bring question and reference along.
 */
export async function readCompletions(path: string): Promise<CompletionFile> {
  const completions: RawCompletion[] = [];
  const problems = new Map<string, Problem>();
  const counts = new Map<string, number>();
  let row = 0;
  for await (const value of rowsOf(path)) {
    row++;
    const where = `${basename(path)}, row ${row}`;
    const id = value['id'] ?? value['problem_id'];
    if (typeof id !== 'string' && typeof id !== 'number')
      fail(
        'E_BENCHMARK',
        `${where}: expected the id of a problem at 'id', received ${typeof id}. Say which problem each completion is for.`,
        { where },
      );
    const key = String(id);
    const texts = Array.isArray(value['completions']) ? value['completions'] : [value];
    for (const item of texts) {
      const text = typeof item === 'string' ? item : textIn(item as Row);
      if (text === null)
        return fail(
          'E_BENCHMARK',
          `${where}: expected a text at 'completion' or a list at 'completions', received ${Object.keys(value).slice(0, 8).join(', ')}. Name the field so.`,
          { where },
        );
      const sample = counts.get(key) ?? 0;
      counts.set(key, sample + 1);
      const finish = typeof item === 'object' && item !== null ? (item as Row)['finish'] : null;
      completions.push({ id: key, sample, text, finish: typeof finish === 'string' ? finish : null });
    }
    if (
      !problems.has(key) &&
      (value['gold'] !== undefined || value['answer'] !== undefined) &&
      (value['question'] !== undefined || value['problem'] !== undefined)
    ) {
      const problem = problemOf(value, row, where);
      if (problem) problems.set(key, { ...problem, id: key });
    }
  }
  if (completions.length === 0)
    fail('E_EMPTY', `${path}: expected at least one completion, received none. Check the file.`, { path });
  return { completions, problems: [...problems.values()] };
}

const textIn = (row: Row): string | null => {
  for (const name of ['completion', 'text', 'output', 'response', 'generation'])
    if (typeof row[name] === 'string') return row[name];
  return null;
};

/** A folder of completions by key: two runs may share it, and a killed run goes on from it. */
export function folderCache(folder: string): Cache {
  const pathOf = (key: string): string => join(folder, key.slice(0, 2), `${key.slice(2)}.json`);
  return {
    get: async key => {
      let text: string;
      try {
        text = await readFile(pathOf(key), 'utf8');
      } catch {
        return null; // not made yet
      }
      try {
        const { text: made, finish, tokens } = JSON.parse(text) as Generated;
        return typeof made === 'string' ? { text: made, finish: finish ?? null, tokens: tokens ?? null } : null;
      } catch {
        return null; // damaged: made again and replaced
      }
    },
    set: async (key, value) => {
      await mkdir(join(folder, key.slice(0, 2)), { recursive: true });
      await atomicWriteFile(pathOf(key), JSON.stringify(value));
    },
  };
}

/** `scores.json`, `samples.jsonl` and `report.html` in a folder; each appears whole. */
export async function writeEvaluation(folder: string, evaluation: Evaluation): Promise<readonly string[]> {
  await mkdir(folder, { recursive: true });
  const files: readonly (readonly [string, string])[] = [
    [
      'samples.jsonl',
      evaluation.problems
        .flatMap(({ id, completions }) =>
          completions.map(
            ({ sample, text, finish, verdict, vote }) =>
              `${JSON.stringify({ id, sample, completion: text, finish, vote, ...verdict }, plain)}\n`,
          ),
        )
        .join(''),
    ],
    ['report.html', reportHtml(evaluation)],
    [
      'scores.json',
      `${JSON.stringify({ name: evaluation.name, signature: evaluation.signature, scores: evaluation.scores, problems: evaluation.problems.map(({ id, completions }) => ({ id, scores: completions.map(({ verdict }) => Number(verdict.verdict === 'correct')) })) }, null, 1)}\n`,
    ],
  ];
  for (const [name, text] of files) await atomicWriteFile(join(folder, name), text);
  return files.map(([name]) => join(folder, name));
}

export interface StoredScores {
  readonly name: string;
  readonly signature: string;
  readonly problems: readonly { readonly id: string; readonly scores: readonly number[] }[];
}

/** @param path the folder of an evaluation, or its scores.json @throws E_FILE, E_JSON */
export async function readScores(path: string): Promise<StoredScores> {
  const file = path.endsWith('.json') ? path : join(path, 'scores.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    return fail(
      'E_FILE',
      `${file}: expected the scores of an evaluation, received: ${(error as Error).message}. Name a folder that heddle eval-math wrote.`,
      { path },
      error,
    );
  }
  try {
    const stored = JSON.parse(text) as StoredScores;
    if (typeof stored.signature === 'string' && Array.isArray(stored.problems)) return stored;
  } catch {
    // said below
  }
  return fail(
    'E_JSON',
    `${file}: expected the scores of an evaluation, received something else. Run the evaluation again.`,
    { path },
  );
}
