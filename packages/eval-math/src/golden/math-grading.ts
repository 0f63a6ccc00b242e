/** Unit tests of other graders: what they expect, with the options that their rows carry and the profile of the grader. */

import type { GoldenCase, GoldenFile } from '@heddle/core/testing/golden';
import { defaultExtractOptions, extract, type ExtractOptions, type Target } from '../extract/extract.js';
import { grade, type GradeOptions } from '../grade.js';
import { profiles } from '../profiles.js';
import { closing, rowsOf, textAt, type Row, type Tally } from './rows.js';

/** Extraction targets of Math-Verify as an order of ours. */
function orderOf(targets: unknown, boxedPriority: unknown): readonly Target[] {
  const has = (name: string): boolean => !Array.isArray(targets) || targets.includes(name);
  const latex: readonly Target[] = has('latex') ? ['announced', 'whole', 'math'] : ['announced', 'whole'];
  return [
    ...(has('latex') && !(typeof boxedPriority === 'number' && boxedPriority < 0) ? (['boxed'] as const) : []),
    ...latex,
    ...(has('expr') ? (['number'] as const) : []),
  ];
}

function mathVerify(row: Row): GradeOptions {
  const profile = profiles['math-verify'];
  return {
    extract: { ...profile.extract, order: orderOf(row['extraction'], row['boxedMatchPriority']) },
    compare: {
      setRelation: row['allowSetRelationComp'] === true ? 'both' : profile.compare.setRelation,
      names: row['strict'] === false ? 'ignored' : 'count',
      ...(typeof row['floatRounding'] === 'number' ? { places: row['floatRounding'] } : {}),
    },
  };
}

function trl(row: Row): GradeOptions {
  const ends = row['reasoningDelimiters'];
  return Array.isArray(ends)
    ? {
        ...profiles.trl,
        extract: { ...profiles.trl.extract, reasoningEnds: ends as string[], reasoningRequired: true },
      }
    : profiles.trl;
}

/** Parsing alone: what is found in a text. */
function parseCase(row: Row, order: readonly Target[], extra: Partial<ExtractOptions> = {}): GoldenCase {
  const expected = row['expected'] as readonly string[];
  const found = extract(textAt(row, 'text'), { ...defaultExtractOptions, ...extra, order });
  const passed =
    expected.length === 0
      ? found === null
      : found !== null &&
        expected.some(text =>
          order[0] === 'choice' ? text === found.text : grade(text, found.text).verdict === 'correct',
        );
  return {
    id: row.id,
    passed,
    detail: `found ${found ? `'${found.text}'` : 'nothing'}, expected ${JSON.stringify(expected)}`,
  };
}

function gradeCase(row: Row, options: GradeOptions): GoldenCase {
  const verdict = grade(textAt(row, 'gold'), textAt(row, 'pred'), options);
  const { expected } = row;
  const passed =
    expected === null
      ? verdict.verdict === 'unparsed'
      : (verdict.verdict === 'correct') === (expected === true || expected === 1);
  return { id: row.id, passed, detail: `expected ${String(expected)}, received ${verdict.verdict}: ${verdict.reason}` };
}

function caseOf(row: Row): GoldenCase {
  const grader = textAt(row, 'grader');
  const config = (row['config'] ?? {}) as Readonly<Record<string, unknown>>;
  if (grader === 'math-verify-parse-string') return parseCase(row, ['choice']);
  if (grader === 'math-verify-parse-latex')
    return parseCase(
      row,
      Number(config['boxedMatchPriority'] ?? 50) < 0 ? ['math'] : ['boxed', 'math'],
      profiles['math-verify'].extract,
    );
  if (grader.startsWith('math-verify')) return gradeCase(row, mathVerify(row));
  if (grader.startsWith('hendrycks')) return gradeCase(row, profiles.hendrycks);
  if (grader.startsWith('trl')) return gradeCase(row, trl(row));
  return { id: row.id, passed: false, detail: `no profile for grader '${grader}'` };
}

export async function* mathGrading(file: GoldenFile): AsyncGenerator<GoldenCase> {
  const tally: Tally = { agreed: 0, all: 0 };
  for await (const row of rowsOf(file)) {
    const found = caseOf(row);
    tally.all++;
    if (found.passed) tally.agreed++;
    yield found;
  }
  yield closing('agreement with the expectations of the graders', tally, 0.99);
}
