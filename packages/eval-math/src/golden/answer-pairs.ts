/**
 * Perturbed answers. Where the relation is certain by construction, that is what counts. Where it is not, another grader's
 * verdict is no truth: the verdict must not depend on which of the two is the reference, and agreement is only reported.
 */

import type { GoldenCase, GoldenFile } from '@heddle/core/testing/golden';
import { grade, gradeAnswer } from '../grade.js';
import { closing, rowsOf, share, textAt, type Tally } from './rows.js';

export async function* answerPairs(file: GoldenFile): AsyncGenerator<GoldenCase> {
  const truth: Tally = { agreed: 0, all: 0 };
  const other: Tally = { agreed: 0, all: 0 };
  for await (const row of rowsOf(file)) {
    const verdict = grade(textAt(row, 'goldInput'), textAt(row, 'predInput'));
    const correct = verdict.verdict === 'correct';
    if (typeof row['mathVerify'] === 'boolean') {
      other.all++;
      if (correct === row['mathVerify']) other.agreed++;
    }
    const certain = row['byConstruction'];
    const id = `${row.id} ${String(row['kind'])}`;
    if (typeof certain === 'boolean') {
      truth.all++;
      if (correct === certain) truth.agreed++;
      yield {
        id,
        passed: correct === certain,
        detail: `certain: ${certain ? 'equal' : 'different'}, received ${verdict.verdict}: ${verdict.reason}`,
      };
      continue;
    }
    const [gold, pred] = [textAt(row, 'gold'), textAt(row, 'pred')];
    const [there, back] = [gradeAnswer(gold, pred), gradeAnswer(pred, gold)];
    const symmetric = there.verdict === back.verdict;
    yield {
      id,
      passed: symmetric,
      detail: symmetric
        ? `${there.verdict} either way`
        : `${there.verdict} one way, ${back.verdict} the other: ${there.reason} / ${back.reason}`,
    };
  }
  yield closing(
    'agreement with the relation that is certain by construction',
    truth,
    0.995,
    `with Math-Verify on all rows ${share(other.agreed, other.all)}`,
  );
}
