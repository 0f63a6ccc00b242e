/** Many pairs, one after another, in a way that leaves a page or a server responsive. */

import { grade, type GradeOptions, type MathVerdict } from './grade.js';

export interface GradePair {
  readonly gold: string;
  readonly answer: string;
}

/** Verdicts in the order of the pairs; between batches of about 200 others may run. */
export async function* gradeAll(
  pairs: Iterable<GradePair> | AsyncIterable<GradePair>,
  options: GradeOptions = {},
): AsyncGenerator<MathVerdict> {
  let count = 0;
  for await (const { gold, answer } of pairs) {
    yield grade(gold, answer, options);
    if (++count % 200 === 0) await new Promise(resolve => setTimeout(resolve, 0));
  }
}
