/** Options that follow the conventions of other graders where those differ from ours. Data only. */

import type { GradeOptions } from './grade.js';

/**
 * - `math-verify`: an inline formula ends with its line; an interval may answer for an inequality but not the other way
 *   round.
 * - `hendrycks`: is_equiv of the MATH benchmark compares texts, so that lists have an order.
 * - `trl`: the accuracy reward of TRL, Math-Verify on formulas only, where a reference in words leaves the sample out.
 */
export const profiles = {
  'math-verify': { extract: { inlineLines: false }, compare: { setRelation: 'gold' } },
  hendrycks: { compare: { lists: 'ordered' } },
  trl: { extract: { inlineLines: false }, compare: { setRelation: 'gold' }, words: false },
} as const satisfies Readonly<Record<string, GradeOptions>>;

export type ProfileName = keyof typeof profiles;
