/**
 * Batches of pairs for sequence-to-sequence models: by number of tokens, in a few static shapes, drawn from several corpora
 * by temperature.
 *
 * Everything is computed from the cursor: which pairs stand in a batch depends on (seed, epoch, index) alone. So a run can
 * stop after any batch and go on exactly there.
 */

import { fail, type Batches, type HostTensor, type TensorType } from '@heddle/core';
import { checkCounts, checkSeed, cursorOf, openness, type EpochCursor } from '../cursor.js';
import { fingerprint, hashNumbers } from '../hash.js';
import { permutation } from '../permutation.js';
import { chooseBuckets, fitBuckets, type Bucket } from './buckets.js';
import type { EncodedPairs } from './encode.js';
import { drawRates, type Mixture } from './mixture.js';

export interface PairBatchOptions extends Mixture {
  /** The most tokens of either side of a batch, padding included: a bucket of length 32 gets 128 rows of 4096. Default 4096. */
  readonly tokens?: number;
  /** How many shapes, or the shapes themselves, such as those of the training data. Default 6. */
  readonly buckets?: number | readonly Bucket[];
  /** Lengths are rounded up to this. Default 1. */
  readonly multiple?: number;
  readonly seed?: number;
  /** false keeps the order within each bucket, the shortest bucket first. Default true. */
  readonly shuffle?: boolean;
  /** How often the data is gone through; null for ever, which is the default. */
  readonly epochs?: number | null;
}

export interface BatchShape extends Bucket {
  /** Rows. */
  readonly batch: number;
}

/** Names of the tensors of a batch. */
export type PairTensors = Readonly<Record<'source' | 'sourceMask' | 'ids' | 'targets' | 'mask', HostTensor>>;

export interface PairBatch {
  /**
   * - `source` i32 [B, S]: ids of the source and its end, then padding
   * - `sourceMask` f32 [B, S]: 1 where there is a token. Rows without a pair show one token of padding, so that attention has
   *   something to look at.
   * - `ids` i32 [B, T]: what the decoder reads: the beginning, then the target
   * - `targets` i32 [B, T]: what it should write: the target, then its end
   * - `mask` f32 [B, T]: 1 where there is something to write
   *
   * The last three are what the objective `nextToken` reads.
   */
  readonly batch: PairTensors;
  /** Tokens to write: the ones in `mask`. */
  readonly tokens: number;
  readonly cursor: EpochCursor;
  /** The pair in each row: its corpus, and its place among the pairs encoded; null for rows without one. */
  readonly rows: readonly ({ readonly corpus: number; readonly pair: number } | null)[];
}

export interface PairBatches extends Batches {
  next(): Promise<PairBatch | null>;
  /** Every shape that batches come in, shortest first; one compiled graph serves each. */
  readonly shapes: readonly BatchShape[];
  /** Types of the tensors of a batch of this shape. */
  types(shape: BatchShape): Readonly<Record<keyof PairTensors, TensorType>>;
  /** Of an epoch: batches, pairs, and the share of all cells of sources and targets that is padding; of each corpus its pairs and their share. */
  report(epoch?: number): {
    readonly batches: number;
    readonly pairs: number;
    readonly padding: number;
    readonly corpora: readonly { readonly pairs: number; readonly share: number }[];
  };
}

/**
 * @param corpora one or several, encoded by the same tokenisers
 * @throws E_OPTION; E_TOKENIZER for corpora whose tokenisers frame rows differently
 */
export function pairBatches(
  corpora: readonly EncodedPairs[],
  {
    tokens = 4096,
    buckets: wanted = 6,
    multiple = 1,
    seed = 0,
    shuffle = true,
    epochs = null,
    temperature = 1,
    quotas,
    most: cap,
  }: PairBatchOptions = {},
): PairBatches {
  checkCounts({ tokens, multiple, epochs: epochs ?? 1, ...(typeof wanted === 'number' ? { buckets: wanted } : {}) });
  checkSeed(seed);
  const [first] = corpora;
  if (first === undefined) return fail('E_EMPTY', 'pairs: expected at least one corpus, received none. Give one.');
  if (corpora.every(({ count }) => count === 0))
    fail(
      'E_EMPTY',
      `pairs: expected at least one pair in ${corpora.length} corpora, received none. Look at what was dropped while they were read.`,
      { corpora: corpora.length },
    );
  const { ends } = first;
  if (corpora.some(other => JSON.stringify(other.ends) !== JSON.stringify(ends)))
    fail(
      'E_TOKENIZER',
      'corpora: expected one tokeniser for all, received several that begin or end rows differently. Encode all with one.',
    );

  const lengths = corpora.map(lengthsOf);
  const buckets = typeof wanted === 'number' ? used(chooseBuckets(lengths.flat(), wanted, multiple), lengths) : wanted;
  for (const bucket of buckets) checkCounts({ source: bucket.source, target: bucket.target });
  const members = corpora.map((_, i) => byBucket(fitBuckets(lengths[i]!, buckets), buckets.length));
  const mixture: Mixture = { temperature, ...(quotas ? { quotas } : {}), ...(cap === undefined ? {} : { most: cap }) };
  const drawn = drawRates(
    corpora.map(({ count }) => count),
    mixture,
  );
  /** How many pairs of a corpus and bucket were drawn before an epoch: whole numbers that keep the share over epochs. */
  const drawnBefore = (epoch: number, corpus: number, bucket: number): number =>
    Math.floor(epoch * drawn[corpus]! * members[corpus]![bucket]!.length);

  const shapes = buckets.map(({ source, target }, bucket): BatchShape => {
    const most = Math.max(1, Math.floor(tokens / Math.max(source, target)));
    const pairs = Math.max(
      1,
      Math.ceil(corpora.reduce((sum, _, i) => sum + drawn[i]! * members[i]![bucket]!.length, 0)),
    );
    // As few batches as the limit allows, and then as few empty rows.
    return { source, target, batch: Math.ceil(pairs / Math.ceil(pairs / most)) };
  });

  interface Plan {
    readonly epoch: number;
    /** Pairs of each bucket, by corpus. */
    readonly counts: readonly (readonly number[])[];
    readonly pairs: readonly number[];
    /** Batches before each bucket, and of all. */
    readonly before: readonly number[];
    readonly batches: number;
    readonly place: (index: number) => number;
  }
  let known: Plan | null = null; // not state, only a saving
  const planOf = (epoch: number): Plan => {
    if (known?.epoch === epoch) return known;
    const counts = buckets.map((_, bucket) =>
      corpora.map((_, corpus) => drawnBefore(epoch + 1, corpus, bucket) - drawnBefore(epoch, corpus, bucket)),
    );
    const pairs = counts.map(own => own.reduce((sum, count) => sum + count, 0));
    const before: number[] = [];
    let batches = 0;
    for (const [bucket, count] of pairs.entries()) {
      before.push(batches);
      batches += Math.ceil(count / shapes[bucket]!.batch);
    }
    const place = shuffle ? permutation(Math.max(1, batches), hashNumbers(seed, epoch, 1)) : (index: number) => index;
    known = { epoch, counts, pairs, before, batches, place };
    return known;
  };

  /** A function from a place in a bucket to the pair there. */
  const pairsOf = (epoch: number, bucket: number) => {
    const { counts, pairs } = planOf(epoch);
    const order = shuffle
      ? permutation(Math.max(1, pairs[bucket]!), hashNumbers(seed, epoch, 2, bucket))
      : (i: number) => i;
    const rounds = new Map<number, (index: number) => number>();
    return (index: number): { readonly corpus: number; readonly pair: number } => {
      let at = order(index);
      let corpus = 0;
      for (; at >= counts[bucket]![corpus]!; corpus++) at -= counts[bucket]![corpus]!;
      const own = members[corpus]![bucket]!;
      const draw = drawnBefore(epoch, corpus, bucket) + at;
      const [round, place] = [Math.floor(draw / own.length), draw % own.length];
      if (!shuffle) return { corpus, pair: own[place]! };
      const key = hashNumbers(seed, 3, corpus, bucket, round);
      const shuffled = rounds.get(key) ?? permutation(own.length, key);
      rounds.set(key, shuffled);
      return { corpus, pair: own[shuffled(place)]! };
    };
  };

  const corpusId = corpora.reduce(
    (key, { source, target, sourceAt, targetAt }) =>
      fingerprint(key + [source, target, sourceAt, targetAt].map(ids => fingerprint(ids)).join('')),
    fingerprint(JSON.stringify([tokens, buckets, multiple, seed, shuffle, temperature, ...(quotas || cap !== undefined ? [mixture] : [])])), // prettier-ignore
  );
  const end = epochs ?? Number.POSITIVE_INFINITY;
  const { alive, close } = openness();
  /** With a temperature, a small corpus may give nothing to an epoch. */
  const skipEmpty = (place: { epoch: number; index: number }) => {
    while (planOf(place.epoch).batches === 0) place.epoch++;
    return place;
  };
  let cursor = skipEmpty({ epoch: 0, index: 0 });

  const types = ({ batch, source, target }: BatchShape) => {
    const [s, t]: [readonly number[], readonly number[]] = [
      [batch, source],
      [batch, target],
    ];
    return {
      source: { dtype: 'i32', shape: s },
      sourceMask: { dtype: 'f32', shape: s },
      ids: { dtype: 'i32', shape: t },
      targets: { dtype: 'i32', shape: t },
      mask: { dtype: 'f32', shape: t },
    } satisfies Record<keyof PairTensors, TensorType>;
  };

  return {
    shapes,
    types,

    report(epoch = 0) {
      const { batches, pairs, counts } = planOf(epoch);
      let [cells, filled] = [0, 0];
      for (const [bucket, count] of pairs.entries()) {
        const { batch, source, target } = shapes[bucket]!;
        cells += Math.ceil(count / batch) * batch * (source + target);
        // Corpora drawn more or less than once count by the mean length of their pairs.
        for (const [corpus, own] of counts[bucket]!.entries()) {
          const inside = members[corpus]![bucket]!;
          const sum = inside.reduce((all, i) => all + lengths[corpus]![i]!.source + lengths[corpus]![i]!.target, 0);
          if (inside.length > 0) filled += (own * sum) / inside.length;
        }
      }
      const all = pairs.reduce((sum, count) => sum + count, 0);
      return {
        batches,
        pairs: all,
        corpora: corpora.map((_, corpus) => {
          const own = counts.reduce((sum, of) => sum + of[corpus]!, 0);
          return { pairs: own, share: all === 0 ? 0 : own / all };
        }),
        padding: cells === 0 ? 0 : 1 - filled / cells,
      };
    },

    async next() {
      alive();
      const { epoch, index } = cursor;
      if (epoch >= end) return null;
      const { before, pairs, batches, place } = planOf(epoch);
      const at = place(index);
      const bucket = before.findLastIndex(first => first <= at);
      const shape = shapes[bucket]!;
      const [from, pairAt] = [(at - before[bucket]!) * shape.batch, pairsOf(epoch, bucket)];
      const rows = Array.from({ length: shape.batch }, (_, row) =>
        from + row < pairs[bucket]! ? pairAt(from + row) : null,
      );
      cursor = index + 1 < batches ? { epoch, index: index + 1 } : skipEmpty({ epoch: epoch + 1, index: 0 });
      const filled = fill(corpora, rows, shape, types(shape));
      return { ...filled, cursor: { ...cursor, corpus: corpusId }, rows };
    },

    async seek(given) {
      alive();
      const { epoch, index } = cursorOf(
        given,
        corpusId,
        one => planOf(one).batches,
        'Text, tokeniser, sizes, seed, order or mixture',
      );
      cursor = { epoch, index };
    },

    close: async () => close(),
  };
}

/** Length of the source with its end, and of the target with one end, of each pair. */
const lengthsOf = ({ count, sourceAt, targetAt }: EncodedPairs): readonly Bucket[] =>
  Array.from({ length: count }, (_, i) => ({
    source: sourceAt[i + 1]! - sourceAt[i]!,
    target: targetAt[i + 1]! - targetAt[i]! + 1,
  }));

/** A pair may fit a bucket that was chosen for others with fewer cells: then its own can be left empty. */
function used(buckets: readonly Bucket[], lengths: readonly (readonly Bucket[])[]): readonly Bucket[] {
  const fit = new Set(lengths.flatMap(own => [...fitBuckets(own, buckets)]));
  return buckets.filter((_, bucket) => fit.has(bucket));
}

function byBucket(bucketOf: Int32Array, count: number): readonly (readonly number[])[] {
  const members: number[][] = Array.from({ length: count }, () => []);
  for (const [pair, bucket] of bucketOf.entries()) members[bucket]!.push(pair);
  return members;
}

function fill(
  corpora: readonly EncodedPairs[],
  rows: PairBatch['rows'],
  { batch, source: S, target: T }: BatchShape,
  types: Readonly<Record<keyof PairTensors, TensorType>>,
): Pick<PairBatch, 'batch' | 'tokens'> {
  const { ends } = corpora[0]!;
  const source = new Int32Array(batch * S).fill(ends.sourcePad);
  const sourceMask = new Float32Array(batch * S);
  const ids = new Int32Array(batch * T).fill(ends.targetPad);
  const targets = new Int32Array(batch * T).fill(ends.targetPad);
  const mask = new Float32Array(batch * T);
  let tokens = 0;
  for (const [row, place] of rows.entries()) {
    if (place === null) {
      sourceMask[row * S] = 1;
      continue;
    }
    const { pair } = place;
    const from = corpora[place.corpus]!;
    const left = from.source.subarray(from.sourceAt[pair], from.sourceAt[pair + 1]);
    const right = from.target.subarray(from.targetAt[pair], from.targetAt[pair + 1]);
    source.set(left, row * S);
    sourceMask.fill(1, row * S, row * S + left.length);
    ids[row * T] = ends.begin;
    ids.set(right, row * T + 1);
    targets.set(right, row * T);
    targets[row * T + right.length] = ends.end;
    mask.fill(1, row * T, row * T + right.length + 1);
    tokens += right.length + 1;
  }
  const tensor = (name: keyof PairTensors, data: Int32Array | Float32Array): HostTensor =>
    ({ ...types[name], data }) as HostTensor;
  return {
    batch: {
      source: tensor('source', source),
      sourceMask: tensor('sourceMask', sourceMask),
      ids: tensor('ids', ids),
      targets: tensor('targets', targets),
      mask: tensor('mask', mask),
    },
    tokens,
  };
}
