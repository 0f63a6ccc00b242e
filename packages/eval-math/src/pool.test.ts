/** Grading on threads gives what grading here gives. Runs the compiled worker. */

import { describe, expect, it } from 'vitest';
import { makeInput, numbers, someAnswers } from '../scripts/inputs.mjs';
import { gradeAll } from './grade-all.js';
import { grade } from './grade.js';
import { openPool } from './pool.node.js';

const draw = numbers(3);
const pairs = Array.from({ length: 500 }, () => ({
  gold: makeInput(draw, someAnswers),
  answer: makeInput(draw, someAnswers),
}));

describe('a pool', () => {
  it('gives the verdicts of one thread, in order', async () => {
    const pool = openPool({ workers: 2 });
    try {
      const found = await pool.grade(pairs);
      expect(found.map(({ verdict, reason }) => [verdict, reason])).toEqual(
        pairs.map(({ gold, answer }) => grade(gold, answer)).map(({ verdict, reason }) => [verdict, reason]),
      );
    } finally {
      await pool.close();
    }
  });

  it('ends what does not answer in time, and goes on', async () => {
    // No patience at all: every thread is given up before it has started.
    const pool = openPool({ workers: 1, patience: 0 });
    try {
      const found = await pool.grade([
        { gold: '1', answer: '1' },
        { gold: '2', answer: '3' },
      ]);
      expect(found.map(({ verdict }) => verdict)).toEqual(['undecided', 'undecided']);
    } finally {
      await pool.close();
    }
  });

  it('is stopped by a signal, and refuses work after its end', async () => {
    const pool = openPool({ workers: 1 });
    await expect(pool.grade(pairs, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough');
    await pool.close();
    await expect(pool.grade(pairs)).rejects.toThrow('closed');
  });
});

it('gradeAll goes through any sequence', async () => {
  const found: string[] = [];
  for await (const { verdict } of gradeAll([
    { gold: '1/2', answer: '0.5' },
    { gold: '1', answer: '2' },
  ]))
    found.push(verdict);
  expect(found).toEqual(['correct', 'incorrect']);
});
