/** Cold start: a teacher solves problems, and what is right, well formed and short enough is kept. */

import { answerRules } from '../reward/answer.js';
import { isWellFormed } from '../grammar/format.js';
import { countBlocks, withoutTags } from '../grammar/tags.js';
import { parallelTrace } from '../problems/generate.js';
import { fail, streamOf } from '@heddle/core';
import type { PoolProblem } from './pool.js';

/** Anything that writes a solution: a model, a server, a person. @returns the text of the solution, tags included */
export type Teacher = (problem: PoolProblem, signal: AbortSignal) => string | Promise<string>;

/** A solution to learn from. */
export interface Trace {
  readonly problem: string;
  readonly answer: string;
  readonly trace: string;
}

/** What became of the traces that a teacher was asked for. */
export interface Yield {
  readonly asked: number;
  readonly kept: number;
  readonly wrong: number;
  readonly malformed: number;
  readonly withoutBlock: number;
  readonly tooLong: number;
}

export interface GatherCall {
  readonly teacher: Teacher;
  /** Problem `index` of those to be solved. */
  readonly problem: (index: number) => PoolProblem;
  readonly count: number;
  /** Whether traces without a block are left out. */
  readonly blocks: boolean;
  /** Whether prompt and trace fit into a row. */
  readonly fits: (trace: Trace) => boolean;
  readonly signal: AbortSignal;
  /** Solutions asked for at once. Default 8. */
  readonly atOnce?: number;
}

/**
 * The ways of a problem, beginning with one that its name alone chooses, so that ways go with nothing else, such as its level.
 *
 * @throws E_CONFIG for a problem without two
 */
export function waysOf({ id, ways }: PoolProblem): readonly string[] {
  if (!ways || ways.length < 2)
    return fail('E_CONFIG', `${id}: expected a problem with two ways to its answer, received one without. Generated problems have them; for these gather traces, of another teacher than 'ways'.`, { id }); // prettier-ignore
  const first = (streamOf(id) >>> 8) % ways.length;
  return [...ways.slice(first), ...ways.slice(0, first)];
}

/** Writes down two ways that a generated problem comes with, as the paths of one block. @throws E_CONFIG for others */
export const waysTeacher: Teacher = problem => parallelTrace({ answer: problem.answer, ways: waysOf(problem) });

/** In the order of the problems, whoever is ready first. */
export async function gatherTraces({
  teacher,
  problem,
  count,
  blocks,
  fits,
  signal,
  atOnce = 8,
}: GatherCall): Promise<{ readonly traces: readonly Trace[]; readonly became: Yield }> {
  const traces: Trace[] = [];
  const became = { asked: count, kept: 0, wrong: 0, malformed: 0, withoutBlock: 0, tooLong: 0 };
  const { find, same } = answerRules.minerva;
  for (let from = 0; from < count; from += atOnce) {
    signal.throwIfAborted();
    const part = Array.from({ length: Math.min(atOnce, count - from) }, async (_, i) => {
      const one = problem(from + i);
      return { problem: one.problem, answer: one.answer, trace: await teacher(one, signal) };
    });
    for (const found of await Promise.all(part)) {
      const { trace, answer } = found;
      if (!isWellFormed(trace)) became.malformed++;
      else if (blocks && countBlocks(trace) === 0) became.withoutBlock++;
      else if (!same(find(withoutTags(trace)), answer)) became.wrong++;
      else if (!fits(found)) became.tooLong++;
      else traces.push(found);
    }
  }
  became.kept = traces.length;
  return { traces, became };
}
