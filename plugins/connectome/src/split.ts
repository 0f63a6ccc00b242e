/** Parting subjects so that each part has its share of every site and group. */

import { fail, uniforms } from '@heddle/core';
import type { Subject } from './subject.js';

export interface SplitOptions {
  /** Default 0.1. */
  readonly validation?: number;
  /** Default 0.2. */
  readonly test?: number;
  readonly seed?: number;
}

export type Part = 'train' | 'validation' | 'test';

/**
 * Stratified by site and label, as the protocol of Brain Network Transformer (Kan et al. 2022) has it: 70, 10 and 20 parts of
 * a hundred. Depends on ids and the seed, not on the order of the subjects.
 *
 * @throws E_OPTION for shares outside their range; E_DUPLICATE for an id that comes twice; E_EMPTY for a part without subjects
 */
export function splitSubjects(
  subjects: readonly Subject[],
  { validation = 0.1, test = 0.2, seed = 0 }: SplitOptions = {},
): Readonly<Record<Part, readonly Subject[]>> {
  if (!(validation >= 0 && test >= 0 && validation + test < 1))
    fail(
      'E_OPTION',
      `shares: expected validation and test of at least 0, together below 1, received ${validation} and ${test}. 0.1 and 0.2 are usual.`,
      { validation, test },
    );
  const sorted = subjects.toSorted((a, b) =>
    stratumOf(a) < stratumOf(b) ? -1 : stratumOf(a) > stratumOf(b) ? 1 : a.id < b.id ? -1 : 1,
  );
  const strata = new Map<string, Subject[]>();
  const ids = new Set<string>();
  for (const subject of sorted) {
    if (ids.size === ids.add(subject.id).size)
      fail(
        'E_DUPLICATE',
        `subject '${subject.id}': expected once, received twice. Give each subject an id of its own.`,
        {
          id: subject.id,
        },
      );
    strata.set(stratumOf(subject), [...(strata.get(stratumOf(subject)) ?? []), subject]);
  }
  const parts: Record<Part, Subject[]> = { train: [], validation: [], test: [] };
  const uniform = uniforms(seed, 0);
  // Counts are rounded along all strata together, so that rounding never adds up.
  let before = 0;
  for (const stratum of strata.values()) {
    const after = before + stratum.length;
    const count = (share: number): number => Math.round(share * after) - Math.round(share * before);
    const [tests, validations] = [count(test), count(test + validation) - count(test)];
    for (const [at, subject] of shuffle(stratum, uniform).entries())
      parts[at < tests ? 'test' : at < tests + validations ? 'validation' : 'train'].push(subject);
    before = after;
  }
  const asked: Readonly<Record<Part, boolean>> = { train: true, validation: validation > 0, test: test > 0 };
  for (const part of ['train', 'validation', 'test'] as const)
    if (asked[part] && parts[part].length === 0)
      fail(
        'E_EMPTY',
        `subjects: expected some for ${part}, received none of ${subjects.length}. Give more, or other shares.`,
        {
          part,
        },
      );
  return parts;
}

const stratumOf = ({ site, label }: Subject): string => JSON.stringify([site, label]);

/** A new list in an order drawn at random (Fisher and Yates). */
export function shuffle<T>(items: readonly T[], uniform: () => number): readonly T[] {
  const list = [...items];
  for (let last = list.length - 1; last > 0; last--) {
    const other = Math.floor(uniform() * (last + 1));
    [list[last], list[other]] = [list[other]!, list[last]!];
  }
  return list;
}
