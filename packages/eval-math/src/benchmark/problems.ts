/** Problems and where they come from: any rows with a question and an answer, under the names that people give them. */

import { fail } from '@heddle/core';
import { defaultExtractOptions, extract } from '../extract/extract.js';

export interface Problem {
  readonly id: string;
  readonly problem: string;
  readonly gold: string;
  /** Choices, where the answer is one of their letters. */
  readonly options?: string;
  /** Subject, level and the like: what scores are broken down by. */
  readonly groups: Readonly<Record<string, string>>;
}

/** A set of problems by name. */
export interface Benchmark {
  readonly name: string;
  readonly title: string;
  /** The file that holds it, below a folder of data: the first of these that is there. */
  readonly files: readonly string[];
  /** Samples for each problem that results are usually given with. */
  readonly samples: number;
}

const set = (name: string, title: string, samples = 1, ...files: readonly string[]): Benchmark => ({
  name,
  title,
  samples,
  files: files.length > 0 ? files : [`${name}.test`],
});

/** The sets whose layout is known; files may end in .jsonl or .parquet. */
export const benchmarks: readonly Benchmark[] = [
  set('math', 'MATH, 5000 test problems'),
  set('math500', 'MATH-500'),
  set('math-train', 'MATH, training problems', 1, 'math.train'),
  set('amc23', 'AMC 2023', 16),
  set('aime24', 'AIME 2024', 16),
  set('aime25', 'AIME 2025', 16),
  set('aime', 'AIME 1983-2023', 1, 'aime-1983-2023.train'),
  set('gsm8k', 'GSM8K'),
  set('gsm8k-train', 'GSM8K, training problems', 1, 'gsm8k.train'),
  set('olympiadbench', 'OlympiadBench'),
  set('minerva', 'Minerva math', 1, 'minerva_math.test'),
  set('college', 'College math', 1, 'college_math.test'),
  set('gaokao', 'Gaokao 2023, English', 1, 'gaokao2023en.test'),
  set('gaokao-cloze', 'Gaokao math cloze', 1, 'gaokao_math_cloze.test'),
  set('carp', 'CARP, English', 1, 'carp_en.test'),
  set('cmath', 'CMATH'),
  set('cn-middle-school', 'Chinese middle school', 1, 'cn_middle_school.test'),
  set('sat', 'SAT math', 1, 'sat_math.test'),
  set('aqua', 'AQuA'),
  set('asdiv', 'ASDiv'),
  set('mawps', 'MAWPS'),
  set('svamp', 'SVAMP'),
];

const questionNames = ['problem', 'question', 'prompt', 'input', 'query'];
const answerNames = ['answer', 'gold', 'reference', 'target', 'final_answer', 'expected_answer', 'ground_truth'];
const groupNames = ['level', 'type', 'subject', 'difficulty', 'year', 'source'];

const textOf = (value: unknown): string | null => {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (Array.isArray(value) && value.length > 0) return value.map(item => textOf(item) ?? '').join(', ');
  return null;
};

/**
 * A row as a problem.
 *
 * @returns null for a problem whose answer is empty
 * @param where names the row in messages: `math.jsonl, line 3`
 * @throws E_BENCHMARK where question or answer are not there
 */
export function problemOf(row: Readonly<Record<string, unknown>>, index: number, where: string): Problem | null {
  const first = (names: readonly string[]): string | null =>
    names.map(name => textOf(row[name])).find(text => text !== null && text !== '') ?? null;
  const problem = first(questionNames);
  // Where the answer itself is missing, a worked solution ends with it.
  const solution = first(['solution']);
  const answer =
    first(answerNames) ??
    (solution === null ? null : (extract(solution, { ...defaultExtractOptions, order: ['boxed'] })?.text ?? null));
  // Some sets hold a few problems whose answer was lost: those cannot be graded.
  if (problem !== null && answer === null && answerNames.some(name => row[name] === '' || row[name] === null))
    return null;
  if (problem === null || answer === null)
    return fail(
      'E_BENCHMARK',
      `${where}: expected ${problem === null ? `a question (${questionNames.join(', ')})` : `an answer (${answerNames.join(', ')})`}, received ${Object.keys(row).slice(0, 8).join(', ') || 'no fields'}. Name the fields so.`,
      { where },
    );
  const options = textOf(row['options'] ?? row['choices']);
  const groups = Object.fromEntries(
    groupNames
      .map(name => [name, textOf(row[name])] as const)
      .filter((pair): pair is [string, string] => pair[1] !== null && pair[1].length <= 60),
  );
  return {
    id: textOf(row['id'] ?? row['unique_id'] ?? row['problem_id']) ?? String(index),
    problem,
    gold: answer,
    ...(options === null ? {} : { options }),
    groups,
  };
}
