/** Where a curriculum's problems come from, and which of them nobody learns from. */

import { fail, streamOf } from '@heddle/core';
import { generateProblem, hardestLevel, type Problem } from '../problems/generate.js';

export interface PoolProblem extends Problem {
  /** Ways to the answer, for problems that come with them. */
  readonly ways?: readonly string[];
}

/** Problems by number, the same for ever: a sampler's state is a number. */
export interface ProblemPool {
  /** The same id means the same problems: results of stages are found by it. */
  readonly id: string;
  /** How many there are to learn from; null without end. */
  readonly count: number | null;
  learn(index: number): PoolProblem;
  /** How many there are to measure with; null without end. */
  readonly testCount: number | null;
  test(index: number): PoolProblem;
}

/** One problem in so many is kept out of all training, chosen by its text. */
const keptOut = 8;
const isKeptOut = ({ problem }: Problem): boolean => streamOf(problem) % keptOut === 0;

/** Each number draws until a problem is of the wanted side; that none is in so many draws does not happen. */
const draws = 1024;

/**
 * Generated problems of some levels in turn. What is measured with is never learnt from: sides go by the problem's text, so
 * the same problem drawn twice is on the same side.
 *
 * @throws E_CONFIG for levels that there are not
 */
export function generatedPool(lowest: number, highest = lowest, seed = 0): ProblemPool {
  if (!(Number.isSafeInteger(lowest) && Number.isSafeInteger(highest) && lowest >= 1 && lowest <= highest && highest <= hardestLevel)) // prettier-ignore
    fail('E_CONFIG', `generatedPool: expected levels from 1 to ${hardestLevel}, the lowest first, received ${lowest} to ${highest}.`, { lowest, highest }); // prettier-ignore
  const drawn = (index: number, out: boolean): PoolProblem => {
    const level = lowest + (index % (highest - lowest + 1));
    for (let draw = 0; draw < draws; draw++) {
      const found = generateProblem(seed, index * draws + draw, level);
      if (isKeptOut(found) === out) return found;
    }
    return fail('E_EMPTY', `generatedPool: expected a problem of level ${level} ${out ? 'to measure with' : 'to learn from'}, none in ${draws} draws. Take another seed.`, { level, index }); // prettier-ignore
  };
  return {
    id: `generated/${lowest}-${highest}/${seed}`,
    count: null,
    learn: index => drawn(index, false),
    testCount: null,
    test: index => drawn(index, true),
  };
}

/** Levels out of a name such as `level:2` or `level:1-3`; null for another name. */
export function levelsOf(name: string): readonly [number, number] | null {
  const [, low, high = low] = /^level:(\d+)(?:-(\d+))?$/.exec(name) ?? [];
  return low === undefined ? null : [Number(low), Number(high)];
}

/**
 * Problems of a list, such as `readProblems` gives. All of them are learnt from where a stage names the list, and all are
 * measured with where it is named for that: name another list there.
 *
 * @param id of their content, such as a hash of the file
 * @throws E_EMPTY for an empty list
 */
export function listedPool(id: string, problems: readonly Problem[]): ProblemPool {
  if (problems.length === 0)
    fail('E_EMPTY', `${id}: expected at least one problem with an answer, received none. Name another file.`, { id });
  const at = (index: number): PoolProblem => problems[index % problems.length]!;
  return { id, count: problems.length, learn: at, testCount: problems.length, test: at };
}
