/** Scores of whole corpora, single sentences and documents. */

import { fail } from '@heddle/core';
import type { CorpusMetric, Score, SignatureFacts } from './metric.js';

/** One stream of references: a text for each segment, or null where this stream has none. */
export type ReferenceStream = readonly (string | null)[];

/** Statistics of a system's segments, `width` numbers each, one after the other. */
export interface Statistics {
  readonly segments: number;
  readonly width: number;
  readonly data: Float64Array;
}

/**
 * Statistics of several systems. References are prepared once a segment, for all systems.
 *
 * @param systems hypotheses by segment, for each system
 * @param references `references[r][i]` is the r-th reference of segment i
 * @throws E_ALIGN where numbers of segments differ, E_REFERENCE where a segment has none
 */
export function statisticsOf(
  metric: CorpusMetric,
  systems: readonly (readonly string[])[],
  references: readonly ReferenceStream[],
): readonly Statistics[] {
  const segments = checked(systems, references);
  const { width } = metric;
  metric.warm?.([...systems.flat(), ...references.flat().filter(text => text !== null)]);
  const found = systems.map(() => ({ segments, width, data: new Float64Array(segments * width) }));
  for (let i = 0; i < segments; i++) {
    const prepared = metric.references(referencesOf(references, i));
    for (let s = 0; s < systems.length; s++) prepared.compare(systems[s]![i]!, found[s]!.data, i * width);
  }
  return found;
}

/** A segment's references as given. @throws E_REFERENCE for none */
export const referencesGiven = (references: readonly string[], name: string): readonly string[] =>
  references.length > 0
    ? references
    : fail('E_REFERENCE', `${name}: expected at least one reference, received none. Give one for each segment.`, {
        name,
      });

/** The references that segment i has. */
const referencesOf = (references: readonly ReferenceStream[], i: number): readonly string[] => {
  const texts = references.map(stream => stream[i] ?? null).filter(text => text !== null);
  return texts.length > 0
    ? texts
    : fail(
        'E_REFERENCE',
        `segment ${i + 1}: expected a reference, received none in any stream. Leave the segment out of all files, or give one.`,
        { segment: i + 1 },
      );
};

function checked(systems: readonly (readonly string[])[], references: readonly ReferenceStream[]): number {
  if (references.length === 0)
    fail('E_REFERENCE', 'references: expected at least one stream, received none. Pass [references].');
  const segments = references[0]!.length;
  for (const [what, streams] of [
    ['reference', references],
    ['system', systems],
  ] as const)
    for (const [at, { length }] of streams.entries())
      if (length !== segments)
        fail(
          'E_ALIGN',
          `${what} ${at + 1}: expected ${segments} segments as in reference 1, received ${length}. Align the files line by line.`,
          { [what]: at + 1, expected: segments, received: length },
        );
  return segments;
}

/** How many references segments have. */
export function referenceCount(references: readonly ReferenceStream[]): number | 'var' {
  const counts = new Set(
    Array.from({ length: references[0]?.length ?? 0 }, (_, i) => referencesOf(references, i).length),
  );
  return counts.size > 1 ? 'var' : ([...counts][0] ?? references.length);
}

/** The sum of all rows, or of those named. */
export function sumOf({ data, width, segments }: Statistics, rows?: Iterable<number>): Float64Array {
  const sums = new Float64Array(width);
  for (const row of rows ?? Array(segments).keys()) for (let k = 0; k < width; k++) sums[k]! += data[row * width + k]!;
  return sums;
}

export interface CorpusResult<S extends Score = Score> {
  readonly score: S;
  readonly signature: string;
}

/**
 * Scores a corpus.
 *
 * @param references `references[r][i]` is the r-th reference of segment i; null where there is none
 * @throws E_ALIGN, E_REFERENCE
 * @example corpusScore(bleu(), ['the cat sat'], [['the cat sat']]).score.score // 100
 */
export function corpusScore<S extends Score>(
  metric: CorpusMetric<S>,
  hypotheses: readonly string[],
  references: readonly ReferenceStream[],
  facts: Omit<SignatureFacts, 'references'> = {},
): CorpusResult<S> {
  const [statistics] = statisticsOf(metric, [hypotheses], references);
  return {
    score: metric.score(sumOf(statistics!)),
    signature: metric.signature({ references: referenceCount(references), ...facts }),
  };
}

/** Scores one sentence. BLEU wants `effectiveOrder: true` for this, or short sentences score 0. */
export function sentenceScore<S extends Score>(
  metric: CorpusMetric<S>,
  hypothesis: string,
  references: readonly string[],
): S {
  return corpusScore(
    metric,
    [hypothesis],
    references.map(text => [text]),
  ).score;
}

/** Scores each segment by itself. */
export function segmentScores<S extends Score>(
  metric: CorpusMetric<S>,
  { data, width, segments }: Statistics,
): readonly S[] {
  return Array.from({ length: segments }, (_, i) => metric.score(data.subarray(i * width, (i + 1) * width)));
}

/**
 * Scores documents: the segments that carry the same name are added up.
 *
 * @param documents name of the document of each segment
 * @returns by name, in order of first appearance
 */
export function documentScores<S extends Score>(
  metric: CorpusMetric<S>,
  statistics: Statistics,
  documents: readonly string[],
): ReadonlyMap<string, S> {
  if (documents.length !== statistics.segments)
    fail(
      'E_ALIGN',
      `documents: expected ${statistics.segments} names, one for each segment, received ${documents.length}. Repeat a name for each of its segments.`,
      { expected: statistics.segments, received: documents.length },
    );
  const rows = new Map<string, number[]>();
  for (const [row, name] of documents.entries()) {
    const known = rows.get(name);
    if (known === undefined) rows.set(name, [row]);
    else known.push(row);
  }
  return new Map([...rows].map(([name, own]) => [name, metric.score(sumOf(statistics, own))]));
}
