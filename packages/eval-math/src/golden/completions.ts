/**
 * Completions of real models with the verdicts of up to four graders that read the box. Where those agree, ours must; where
 * they contradict each other, ours is by value, as Math-Verify's: 27 is 27.0 and 900,000,000 is 900000000.
 */

import type { GoldenCase, GoldenFile } from '@heddle/core/testing/golden';
import { grade } from '../grade.js';
import { closing, rowsOf, textAt, type Tally } from './rows.js';

export async function* completions(file: GoldenFile): AsyncGenerator<GoldenCase> {
  const tally: Tally = { agreed: 0, all: 0 };
  let contradictions = 0;
  for await (const row of rowsOf(file)) {
    const gold = textAt(row, 'gold');
    for (const [index, item] of (row['completions'] as readonly Readonly<Record<string, unknown>>[]).entries()) {
      const verdicts = ['mathVerify', 'qwenScore', 'hendrycks', 'prm800k']
        .map(name => item[name])
        .filter(value => typeof value === 'boolean');
      const agree = verdicts.every(value => value === verdicts[0]);
      if (!agree) contradictions++;
      const expected = agree ? verdicts[0] : item['mathVerify'];
      const verdict = grade(gold, String(item['completion']));
      const passed = (verdict.verdict === 'correct') === expected;
      tally.all++;
      if (passed) tally.agreed++;
      yield {
        id: `${row.id} #${index}`,
        passed,
        detail: `expected ${String(expected)}${agree ? '' : ' (graders contradict each other)'}, received ${verdict.verdict}: ${verdict.reason}`,
      };
    }
  }
  yield closing('agreement with the graders', tally, 0.99, `the graders contradict each other on ${contradictions}`);
}
