/**
 * GLEU (Napoles et al. 2015, as updated in 2016): n-gram overlap with a correction, less the n-grams of the source that
 * should have been changed. Not the GLEU of Google's translation system.
 */

import { fail } from '@heddle/core';
import { pythonBelow, pythonTwister } from '../random/mt19937.js';
import { words } from '../text/whitespace.js';

export interface GleuOptions {
  /** References drawn for every sentence this many times; default 500. */
  readonly iterations?: number | undefined;
}

export interface GleuResult {
  /** Mean over the iterations. */
  readonly score: number;
  readonly deviation: number;
  /** The middle 95 % of a normal distribution of that mean and deviation. */
  readonly interval: readonly [low: number, high: number];
  /** Of each sentence, smoothed, mean over its references. */
  readonly sentences: readonly number[];
}

const order = 4;
/** Hypothesis length, reference length, then matches and n-grams of each order. */
const width = 2 + 2 * order;
const normal95 = 1.959963984540054;

type Counts = ReadonlyMap<string, number>;

/**
 * @param sources by sentence, tokens parted by spaces
 * @param references `references[r][i]` is the r-th correction of sentence i
 * @throws E_ALIGN where numbers of sentences differ, E_REFERENCE without references
 */
export function gleu(
  hypotheses: readonly string[],
  sources: readonly string[],
  references: readonly (readonly string[])[],
  { iterations = 500 }: GleuOptions = {},
): GleuResult {
  if (references.length === 0)
    fail('E_REFERENCE', 'gleu: expected at least one stream of references, received none. Pass [references].');
  for (const { length } of [hypotheses, ...references])
    if (length !== sources.length)
      fail(
        'E_ALIGN',
        `gleu: expected ${sources.length} sentences as in the source, received ${length}. Align the files line by line.`,
        { expected: sources.length, received: length },
      );
  const statistics = hypotheses.map((text, i) => {
    const [hypothesis, source] = [ngramsOf(words(text)), ngramsOf(words(sources[i]!))];
    return references.map(stream => compare(hypothesis, source, ngramsOf(words(stream[i]!))));
  });
  const scores = Array.from({ length: iterations }, (_, iteration) => {
    // The seeds of the original, whose draws are Python's.
    const generator = pythonTwister(iteration * 101);
    const sums = new Float64Array(width);
    for (const own of statistics) {
      const drawn = own[pythonBelow(generator, references.length)]!;
      for (let k = 0; k < width; k++) sums[k]! += drawn[k]!;
    }
    return scoreOf(sums);
  });
  const score = mean(scores);
  const deviation = Math.sqrt(mean(scores.map(one => (one - score) ** 2)));
  return {
    score,
    deviation,
    interval: [score - normal95 * deviation, score + normal95 * deviation],
    sentences: statistics.map(own => mean(own.map(one => scoreOf(one.map(value => (value === 0 ? 1 : value)))))),
  };
}

const mean = (values: readonly number[]): number =>
  values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;

interface Ngrams {
  readonly length: number;
  /** Of each order. */
  readonly counts: readonly Counts[];
}

function ngramsOf(tokens: readonly string[]): Ngrams {
  const counts = Array.from({ length: order }, (_, n) => {
    const found = new Map<string, number>();
    for (let at = 0; at + n < tokens.length; at++) {
      const key = tokens.slice(at, at + n + 1).join(' ');
      found.set(key, (found.get(key) ?? 0) + 1);
    }
    return found;
  });
  return { length: tokens.length, counts };
}

function compare(hypothesis: Ngrams, source: Ngrams, reference: Ngrams): Float64Array {
  const found = new Float64Array(width);
  found[0] = hypothesis.length;
  found[1] = reference.length;
  for (let n = 0; n < order; n++) {
    let matches = 0;
    for (const [ngram, count] of hypothesis.counts[n]!) {
      const [wanted, before] = [reference.counts[n]!.get(ngram), source.counts[n]!.get(ngram)];
      if (wanted !== undefined) matches += Math.min(count, wanted);
      else if (before !== undefined) matches -= Math.min(count, before);
    }
    found[2 + 2 * n] = Math.max(0, matches);
    found[3 + 2 * n] = Math.max(0, hypothesis.length - n);
  }
  return found;
}

function scoreOf(sums: Float64Array): number {
  if (sums.includes(0)) return 0;
  let logs = 0;
  for (let n = 0; n < order; n++) logs += Math.log(sums[2 + 2 * n]! / sums[3 + 2 * n]!);
  return Math.exp(Math.min(0, 1 - sums[1]! / sums[0]!) + logs / order);
}
