/** The grader of the kernel. */

import type { Grader } from '@heddle/core';
import { grade, type GradeOptions } from './grade.js';

/** @example const { verdict, reason } = await mathGrader().grade('\\boxed{1/2}', '0.5'); */
export const mathGrader = (options: GradeOptions = {}, name = 'math'): Grader => ({
  name,
  grade: async (answer, reference) => {
    const { verdict, reason } = grade(reference, answer, options);
    return { verdict, reason };
  },
});
