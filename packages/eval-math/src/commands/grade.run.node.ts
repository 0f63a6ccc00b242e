/** `heddle grade`: a stream of pairs through the pool, or one pair explained. */

import { fail, type CommandCall, type Host } from '@heddle/core';
import { grade, type GradeOptions, type MathVerdict, type VerdictName } from '../grade.js';
import type { GradePair } from '../grade-all.js';
import { openPool, type GradePool } from '../pool.node.js';
import { profiles, type ProfileName } from '../profiles.js';
import { explain } from './explain.js';
import { numberOption } from './options.js';
import { jsonLines, openLines, plain, type Line } from './lines.node.js';

/** Pairs on their way at once: enough for all threads, little enough to stay in memory. */
const window = 2_048;

export async function runGrade(call: CommandCall, _host: Host): Promise<number> {
  const { args, options } = call;
  const how = optionsOf(options);
  if (options['explain'] === true) return explainOne(call, args, how);
  const path = options['input'];
  if (typeof path !== 'string' || path === '')
    return fail(
      'E_OPTION',
      'input: expected a file of JSON lines, received none. Give --input FILE.jsonl, or --explain GOLD PRED for one pair.',
    );
  const workers = numberOption(options, 'workers', { least: 0, most: 64 });
  const pool = workers === 0 ? null : openPool({ ...(workers === undefined ? {} : { workers }), grade: how });
  const output = typeof options['output'] === 'string' ? await openLines(options['output']) : null;
  const counts: Record<VerdictName, number> = { correct: 0, incorrect: 0, unparsed: 0, undecided: 0 };
  const json = options['json'] === true;
  const started = performance.now();
  let total = 0;
  let shown = started;
  try {
    for await (const lines of chunks(jsonLines(path), window)) {
      if (call.signal.aborted) break;
      const pairs = lines.map(line => pairOf(line, path, options));
      const verdicts = await gradeBatch(pairs, pool, how, call.signal);
      for (const [i, verdict] of verdicts.entries()) {
        counts[verdict.verdict]++;
        total++;
        const { id } = lines[i]!.value;
        const record = { line: lines[i]!.number, ...(id === undefined ? {} : { id }), ...verdict };
        if (output) await output.write(record);
        if (json) call.print(JSON.stringify(record, plain));
      }
      if (performance.now() - shown > 2_000) {
        shown = performance.now();
        call.note(`${total} graded, ${share(counts.correct, total)} correct`);
      }
    }
    if (call.signal.aborted) {
      await output?.discard();
      return 130;
    }
    await output?.finish();
  } catch (error) {
    await output?.discard();
    throw error;
  } finally {
    await pool?.close();
  }
  if (total === 0)
    return fail(
      'E_EMPTY',
      `${path}: expected at least one line, received none. Write objects with 'gold' and 'pred'.`,
      { path },
    );
  const summary = [
    `${total} pairs in ${((performance.now() - started) / 1000).toFixed(1)} s: ${share(counts.correct, total)} correct`,
    ...(['incorrect', 'unparsed', 'undecided'] as const).map(name => `${counts[name]} ${name}`),
  ].join(', ');
  if (json) call.note(summary);
  else call.print(summary);
  return 0;
}

const share = (part: number, whole: number): string => `${part} (${((100 * part) / Math.max(1, whole)).toFixed(1)} %)`;

function explainOne(call: CommandCall, args: readonly string[], how: GradeOptions): number {
  const [gold, pred] = args;
  if (gold === undefined || pred === undefined)
    return fail(
      'E_OPTION',
      `explain: expected a reference and an answer, received ${args.length} arguments. Write heddle grade --explain GOLD PRED.`,
    );
  const verdict = grade(gold, pred, how);
  call.print(call.options['json'] === true ? JSON.stringify(verdict, plain) : explain(verdict));
  return 0;
}

function optionsOf(options: CommandCall['options']): Omit<GradeOptions, 'deepEquality'> {
  const name = options['profile'];
  const profile: GradeOptions =
    typeof name === 'string'
      ? (profiles[name as ProfileName] ??
        fail(
          'E_OPTION',
          `profile: expected one of ${Object.keys(profiles).join(', ')}, received ${name}. Correct the option.`,
        ))
      : {};
  const places = numberOption(options, 'places', { least: 0, most: 15 });
  return {
    ...profile,
    compare: {
      ...profile.compare,
      ...(options['lenient'] === true ? { strictness: 'lenient' as const } : {}),
      ...(options['ordered'] === true ? { lists: 'ordered' as const } : {}),
      ...(places === undefined ? {} : { places }),
    },
  };
}

/** A number is as good as its text: JSON files hold both. */
function textOf(value: unknown): string | null {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'boolean'
      ? String(value)
      : null;
}

function pairOf({ number, value }: Line, path: string, options: CommandCall['options']): GradePair {
  const goldField = String(options['gold'] ?? 'gold');
  const wanted = options['pred'] === undefined ? ['pred', 'completion'] : [String(options['pred'])];
  const field = wanted.find(name => value[name] !== undefined) ?? wanted[0]!;
  const [gold, answer] = [textOf(value[goldField]), textOf(value[field])];
  if (gold === null || answer === null) {
    const missing = gold === null ? goldField : wanted.join("' or '");
    return fail(
      'E_JSON',
      `${path}, line ${number}: expected a text at '${missing}', received ${Object.keys(value).slice(0, 8).join(', ') || 'nothing'}. Name the fields with --gold and --pred.`,
      { path, line: number },
    );
  }
  return { gold, answer };
}

const gradeBatch = async (
  pairs: readonly GradePair[],
  pool: GradePool | null,
  how: GradeOptions,
  signal: AbortSignal,
): Promise<readonly MathVerdict[]> =>
  pool ? pool.grade(pairs, signal) : pairs.map(({ gold, answer }) => grade(gold, answer, how));

async function* chunks<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let chunk: T[] = [];
  for await (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}
