/** Comparison of two M2 files as ERRANT's `compare_m2` does it (Bryant, Felice and Briscoe 2017). */

import { fail } from '@heddle/core';
import { rounded } from '../text/decimal.js';
import { words } from '../text/whitespace.js';
import { editScore, type EditScore } from './f-score.js';
import type { M2Edit, M2Sentence } from './m2.js';

/**
 * What has to agree: the span and the correction; with `types` the type too; only the span (`spans`); or only which
 * tokens are wrong (`tokens`), where an insertion is an error of the token after it.
 */
export type Agreement = 'correction' | 'types' | 'spans' | 'tokens';

export interface ErrantOptions {
  /** Default `correction`. */
  readonly agree?: Agreement | undefined;
  /** Default 0.5. */
  readonly beta?: number | undefined;
  /** Only edits of single tokens, or only of several. Default both. */
  readonly size?: 'single' | 'multi' | undefined;
  /** Types that do not count. */
  readonly without?: readonly string[] | undefined;
  /** `operation` joins types by M, R, U; `main` by what follows (NOUN); default `all`. */
  readonly tier?: 'operation' | 'main' | 'all' | undefined;
}

export interface ErrantResult extends EditScore {
  /** By type of error. */
  readonly types: ReadonlyMap<string, EditScore>;
}

/** Types of the edits with this key. Several edits may share one. */
type Edits = ReadonlyMap<string, readonly string[]>;
type Counts = [truePositives: number, falsePositives: number, falseNegatives: number];

/**
 * Where several annotators are on either side, each sentence takes the pair that makes the score of the corpus so far
 * largest, in the four digits that ERRANT keeps.
 *
 * @throws E_ALIGN where the files have other numbers of sentences
 */
export function errantCompare(
  hypothesis: readonly M2Sentence[],
  reference: readonly M2Sentence[],
  options: ErrantOptions = {},
): ErrantResult {
  const { beta = 0.5, tier = 'all' } = options;
  if (hypothesis.length !== reference.length)
    fail(
      'E_ALIGN',
      `errantCompare: expected ${reference.length} sentences as in the reference, received ${hypothesis.length}. Annotate the same text.`,
      { expected: reference.length, received: hypothesis.length },
    );
  const total: Counts = [0, 0, 0];
  const types = new Map<string, Counts>();
  for (const [at, sentence] of hypothesis.entries()) {
    const [ours, theirs] = [sentence, reference[at]!].map(({ edits }) => [...grouped(edits, options).values()]) as [
      Edits[],
      Edits[],
    ];
    let best: { readonly f: number; readonly counts: Counts; readonly types: ReadonlyMap<string, Counts> } | null =
      null;
    for (const own of ours) {
      for (const other of theirs) {
        const found = compare(own, other);
        const [tp, fp, fn] = found.counts;
        const f = fourDigits(tp + total[0], fp + total[1], fn + total[2], beta);
        if (best === null || f > best.f || (f === best.f && before(found.counts, best.counts))) best = { f, ...found };
      }
    }
    best!.counts.forEach((count, i) => (total[i]! += count));
    for (const [type, counts] of best!.types) add(types, type, counts);
  }
  return {
    ...editScore(...total, beta),
    types: new Map([...joined(types, tier)].map(([type, counts]) => [type, editScore(...counts, beta)])),
  };
}

/** F of precision and recall, rounded as `compare_m2` rounds before it compares. */
const fourDigits = (...[tp, fp, fn, beta]: [...Counts, number]): number => rounded(editScore(tp, fp, fn, beta).f, 4);

/** More true positives, then fewer false ones, then fewer missed. */
const before = (a: Counts, b: Counts): boolean =>
  a[0] !== b[0] ? a[0] > b[0] : a[1] !== b[1] ? a[1] < b[1] : a[2] < b[2];

function grouped(
  edits: readonly M2Edit[],
  { agree = 'correction', size, without = [] }: ErrantOptions,
): ReadonlyMap<number, Edits> {
  const annotators = new Map<number, Map<string, string[]>>();
  const all: readonly M2Edit[] =
    edits.length > 0 ? edits : [{ start: -1, end: -1, type: 'noop', correction: '-NONE-', annotator: 0 }];
  for (const { start, end, type, correction, annotator } of all) {
    const own = annotators.get(annotator) ?? new Map<string, string[]>();
    annotators.set(annotator, own);
    const detection = agree === 'spans' || agree === 'tokens';
    const multi = end - start >= 2 || words(correction).length >= 2;
    // An unknown correction can be found, not made.
    if ((!detection && type === 'UNK') || (size === 'single' && multi) || (size === 'multi' && !multi)) continue;
    if (without.includes(type)) continue;
    const keys =
      agree === 'tokens'
        ? tokensOf(start, end)
        : [`${start} ${end}${agree === 'types' ? ` ${type}` : ''}${detection ? '' : `\n${correction}`}`];
    for (const key of keys) own.set(key, [...(own.get(key) ?? []), type]);
  }
  return annotators;
}

const tokensOf = (start: number, end: number): readonly string[] =>
  start < 0 ? ['noop'] : Array.from({ length: Math.max(1, end - start) }, (_, i) => String(start + i));

function compare(
  hypothesis: Edits,
  reference: Edits,
): { readonly counts: Counts; readonly types: ReadonlyMap<string, Counts> } {
  const counts: Counts = [0, 0, 0];
  const types = new Map<string, Counts>();
  const count = (which: 0 | 1 | 2, found: readonly string[]): void => {
    counts[which] += found.length;
    for (const type of found) {
      const one: Counts = [0, 0, 0];
      one[which] = 1;
      add(types, type, one);
    }
  };
  for (const [key, found] of hypothesis) {
    if (found[0] === 'noop') continue;
    const expected = reference.get(key);
    if (expected === undefined) count(1, found);
    else count(0, expected);
  }
  for (const [key, expected] of reference) if (expected[0] !== 'noop' && !hypothesis.has(key)) count(2, expected);
  return { counts, types };
}

function add(types: Map<string, Counts>, type: string, counts: Counts): void {
  const known = types.get(type) ?? [0, 0, 0];
  types.set(type, [known[0] + counts[0], known[1] + counts[1], known[2] + counts[2]]);
}

function joined(types: ReadonlyMap<string, Counts>, tier: 'operation' | 'main' | 'all'): ReadonlyMap<string, Counts> {
  const found = new Map<string, Counts>();
  for (const [type, counts] of types) {
    const whole = tier === 'all' || type === 'UNK';
    add(found, whole ? type : tier === 'operation' ? type[0]! : type.slice(2), counts);
  }
  return found;
}
