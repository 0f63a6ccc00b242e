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
  /** The teacher gave nothing, as when a server refuses. */
  readonly failed: number;
}

/** Texts of a teacher as they come, so that a stage that stops asks for none of them twice. */
export interface Journal {
  /** By the number of the problem. */
  read(): Promise<ReadonlyMap<number, string>>;
  add(index: number, trace: string): Promise<void>;
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
  readonly journal?: Journal;
  /** Told after each problem how many were asked. */
  readonly see?: (done: number) => void;
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

/** Where nothing else is said: how a model is asked for a solution in paths. */
export const teacherPrompt = `Solve the problem below step by step. At any step that can be looked at from several sides, open a parallel block in place: write <Parallel>, then two or more paths, each as <Path>...</Path> and each complete in itself, then </Parallel>, and at once <Summary>...</Summary> with what the paths come to together. Paths are written at the same moment: no path mentions another, and no word puts them in an order. Open as many blocks as help, and never speak about the blocks themselves. The last line says "Final Answer: " and then the answer alone.

Problem: {problem}`;

/**
 * A model that is asked in words, such as `chat` of `@heddle/openai-client`. What it thinks aloud before `</think>` is left out.
 *
 * @param prompt with `{problem}` in it
 */
export const askedTeacher =
  (ask: (text: string, signal: AbortSignal) => Promise<string>, prompt: string = teacherPrompt): Teacher =>
  async ({ problem }, signal) => {
    const text = await ask(
      prompt.replace('{problem}', () => problem),
      signal,
    );
    return (text.split('</think>').at(-1) ?? '').trim();
  };

/**
 * In the order of the problems, whoever is ready first. A solution that fails is counted; that so many in a row fail as are
 * asked for at once ends it.
 *
 * @throws what the teacher threw last, or the signal's reason
 */
export async function gatherTraces({
  teacher,
  problem,
  count,
  blocks,
  fits,
  signal,
  atOnce = 8,
  journal,
  see,
}: GatherCall): Promise<{ readonly traces: readonly Trace[]; readonly became: Yield }> {
  const known = new Map(await journal?.read());
  let [next, inRow, done] = [0, 0, 0];
  const work = async (): Promise<void> => {
    while (next < count) {
      signal.throwIfAborted();
      const index = next++;
      if (!known.has(index)) {
        try {
          const trace = await teacher(problem(index), signal);
          await journal?.add(index, trace);
          known.set(index, trace);
          inRow = 0;
        } catch (error) {
          if (signal.aborted) throw signal.reason;
          if (++inRow >= Math.min(atOnce, count)) {
            next = count;
            throw error;
          }
        }
      }
      see?.(++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, work));
  const traces: Trace[] = [];
  const became = { asked: count, kept: 0, wrong: 0, malformed: 0, withoutBlock: 0, tooLong: 0, failed: 0 };
  const { find, same } = answerRules.minerva;
  for (let index = 0; index < count; index++) {
    const trace = known.get(index);
    if (trace === undefined) {
      became.failed++;
      continue;
    }
    const { answer, problem: text } = problem(index);
    const found: Trace = { problem: text, answer, trace };
    if (!isWellFormed(trace)) became.malformed++;
    else if (blocks && countBlocks(trace) === 0) became.withoutBlock++;
    else if (!same(find(withoutTags(trace)), answer)) became.wrong++;
    else if (!fits(found)) became.tooLong++;
    else traces.push(found);
  }
  became.kept = traces.length;
  return { traces, became };
}
