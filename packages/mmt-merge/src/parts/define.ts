/** What methods are written with: sums over models, parameters that many share. */

import { fail, type MergeInputs, type MergeMethod, type MergeParameter, type Tensor } from '@heddle/core';

/** A parameter of each model. */
export const perModel = (describe: string, rest: Omit<MergeParameter, 'describe' | 'per'> = {}): MergeParameter => ({
  describe,
  per: 'model',
  ...rest,
});

/** A parameter of the merge. */
export const perMerge = (describe: string, rest: Omit<MergeParameter, 'describe' | 'per'> = {}): MergeParameter => ({
  describe,
  per: 'merge',
  ...rest,
});

export const flag = (describe: string, value: boolean): MergeParameter =>
  perMerge(describe, { kind: 'flag', default: value ? 1 : 0, least: 0, most: 1 });

/** The weight of a model; recipes must say it. */
export const weight: MergeParameter = perModel('share of the model');

/**
 * The base of a method that works on differences from it.
 *
 * @throws E_MERGE without one
 */
export const baseOf = (method: string, { base }: MergeInputs): Tensor => base ?? refuseBase(method);

function refuseBase(method: string): never {
  return fail('E_MERGE', `${method}: expected a base model, received none. Name one under base_model.`, {
    method,
    reason: 'base',
  });
}

export const weightsOf = ({ each }: Pick<MergeInputs, 'each'>): readonly number[] =>
  each.map(values => values['weight'] ?? 1);

export const total = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0);

/** A sum that may be divided by: one too small for that leaves things as they are. */
export const divisor = (sum: number, least = 1e-8): number => (Math.abs(sum) < least ? 1 : sum);

export const define = (method: MergeMethod): MergeMethod => method;
