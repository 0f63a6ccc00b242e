/** Problems from rows as GSM8K, MATH and DAPO have them. */

import { fail } from '@heddle/core';
import type { Problem } from './generate.js';

export interface ReadProblems {
  readonly problems: readonly Problem[];
  /** Lines or rows, from 1, whose answer is missing: they cannot be rewarded. */
  readonly unanswered: readonly number[];
}

type Row = Readonly<Record<string, unknown>>;

const textOf = (...values: readonly unknown[]): string | null => {
  // Of parquet, whole numbers are of the kind that has no end.
  const found = values.find(
    x => (typeof x === 'string' && x.trim() !== '') || typeof x === 'number' || typeof x === 'bigint',
  );
  return found === undefined ? null : String(found).trim();
};
const inside = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Row)[name] : undefined;

/** What is said to the model: of a chat, the last message of the user. */
function problemOf({ problem, question, prompt, extra_info: extra }: Row): string | null {
  const messages = Array.isArray(prompt) ? prompt.filter(message => inside(message, 'role') !== 'assistant') : [];
  return textOf(problem, question, inside(messages.at(-1), 'content'), prompt, inside(extra, 'question'));
}

/** The content of the last `\boxed{…}`, brackets in balance. */
function boxed(solution: unknown): string | undefined {
  if (typeof solution !== 'string') return undefined;
  const start = solution.lastIndexOf('\\boxed{');
  if (start < 0) return undefined;
  let depth = 0;
  for (let i = start + 6; i < solution.length; i++) {
    if (solution[i] === '{') depth++;
    else if (solution[i] === '}' && --depth === 0) return solution.slice(start + 7, i);
  }
  return undefined;
}

/** GSM8K keeps its answer behind `####` at the end of the solution, which it calls the answer. */
function answerOf({ answer, solution, reward_model: model }: Row): string | null {
  const last = typeof answer === 'string' ? answer.lastIndexOf('####') : -1;
  const plain =
    last < 0
      ? answer
      : (answer as string)
          .slice(last + 4)
          .trim()
          .replaceAll(',', '');
  return textOf(inside(model, 'ground_truth'), plain, boxed(solution));
}

/**
 * Problems of JSON lines, empty ones passed over: see `problemsOf`.
 *
 * @throws E_PROBLEMS naming the line that is no JSON object, or has no problem
 */
export function readProblems(text: string, name = 'problems'): ReadProblems {
  const rows = text
    .split('\n')
    .flatMap((line, i) => (line.trim() === '' ? [] : [[i + 1, rowOf(line, name, i + 1)] as const]));
  return gathered(rows, name, 'line');
}

/**
 * Problems of rows, such as those of a parquet file. Fields: `problem`, `question` or `prompt` (a text or a chat); `answer`
 * (also with GSM8K's `####`), `reward_model.ground_truth`, or a `solution` with `\boxed{…}`.
 *
 * @param name stands in messages and in ids of rows that have none
 * @throws E_PROBLEMS naming the row that has no problem
 */
export const problemsOf = (rows: readonly Row[], name = 'problems'): ReadProblems =>
  gathered(
    rows.map((row, i) => [i + 1, row] as const),
    name,
    'row',
  );

function gathered(rows: readonly (readonly [number, Row])[], name: string, unit: 'line' | 'row'): ReadProblems {
  const problems: Problem[] = [];
  const unanswered: number[] = [];
  for (const [at, row] of rows) {
    const problem = problemOf(row);
    if (problem === null)
      fail('E_PROBLEMS', `${name}, ${unit} ${at}: expected 'problem', 'question' or 'prompt', received ${Object.keys(row).join(', ') || 'no field'}.`, { name, [unit]: at }); // prettier-ignore
    const answer = answerOf(row);
    if (answer === null) unanswered.push(at);
    else problems.push({ id: textOf(row['id']) ?? `${name}/${at}`, problem: problem!, answer });
  }
  return { problems, unanswered };
}

function rowOf(line: string, name: string, number: number): Row {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === 'object' && row !== null && !Array.isArray(row)) return row as Row;
  } catch {
    // Told below, with the line.
  }
  return fail(
    'E_PROBLEMS',
    `${name}, line ${number}: expected a JSON object, received ${line.slice(0, 40)}. Mend the line.`,
    {
      name,
      line: number,
    },
  );
}
