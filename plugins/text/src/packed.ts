/**
 * Language-model batches out of one long row of tokens: windows of equal length, shuffled anew each epoch.
 *
 * Everything is computed from the cursor: which windows stand in a batch depends on (seed, epoch, index) alone. So a
 * run can stop after any batch and go on exactly there, and no list of a million shuffled windows is kept.
 */

import { fail, type Batches, type HostTensor, type TensorType } from '@heddle/core';
import type { Document } from './corpus.js';
import { checkCounts, checkSeed, cursorOf, openness, type EpochCursor } from './cursor.js';
import { fingerprint, hashNumbers } from './hash.js';
import { idBuffer } from './id-buffer.js';
import { permutation } from './permutation.js';
import type { Tokenizer } from './tokenizer.js';

export interface PackedTokens {
  /** Documents one after another, each ended by `end`. */
  readonly ids: Int32Array;
  readonly end: number;
  /** Fills the rest of the last window; never counted. */
  readonly pad: number;
}

/** @throws E_TOKENIZER for a tokeniser without a token that ends documents */
export function packDocuments(documents: Iterable<Document>, tokenizer: Tokenizer): PackedTokens {
  const { specials } = tokenizer;
  const end = endOf(tokenizer);
  const ids = idBuffer();
  for (const { text } of documents) {
    ids.append(tokenizer.encode(text));
    ids.push(end);
  }
  return { ids: ids.take(), end, pad: specials['<pad>'] ?? end };
}

/** The id that ends a document, under any of its usual names. @throws E_TOKENIZER where there is none */
export function endOf({ specials, name }: Tokenizer): number {
  return (
    specials['<eos>'] ??
    specials['<|endoftext|>'] ??
    specials['</s>'] ??
    fail(
      'E_TOKENIZER',
      `tokeniser '${name}': expected a special <eos> to end documents with, received ${Object.keys(specials).join(' ') || 'no specials'}. Make it with specials: ['<eos>'].`,
      { specials },
    )
  );
}

export interface PackedOptions {
  /** Rows of a batch. */
  readonly batch: number;
  /** Tokens of a row. */
  readonly length: number;
  readonly seed?: number;
  /** false keeps the order of the text. Default true. */
  readonly shuffle?: boolean;
  /** How often the text is gone through; null for ever, which is the default. */
  readonly epochs?: number | null;
}

/** Where a run stands: `index` windows into an epoch. */
export type PackedCursor = EpochCursor;

export interface PackedBatches extends Batches {
  next(): Promise<PackedBatch | null>;
  /** Windows in an epoch. */
  readonly windows: number;
  /** Tokens to predict in an epoch. */
  readonly tokens: number;
  /** What `next` gives, for building a training step before the first batch. */
  readonly types: Readonly<Record<'ids' | 'targets' | 'mask', TensorType>>;
}

export interface PackedBatch {
  /** `ids` and `targets` i32 [B, T], targets one token ahead; `mask` f32 [B, T], 0 where there is nothing to predict: what the objective `nextToken` reads. */
  readonly batch: Readonly<Record<'ids' | 'targets' | 'mask', HostTensor>>;
  /** Tokens to predict: the ones in `mask`. */
  readonly tokens: number;
  readonly cursor: PackedCursor;
}

/**
 * Windows do not overlap but for one token, the last target of one being the first input of the next: in an epoch
 * every token but the first is predicted exactly once. Batches are always full: the end of an epoch and the
 * beginning of the next share one. Only after the last epoch are rows empty, with a mask of 0.
 *
 * @throws E_OPTION for sizes that are no whole numbers of at least 1; E_EMPTY for less than two tokens
 */
export function packedBatches(
  { ids, pad }: PackedTokens,
  { batch, length, seed = 0, shuffle = true, epochs = null }: PackedOptions,
): PackedBatches {
  checkCounts({ batch, length, epochs: epochs ?? 1 });
  checkSeed(seed);
  if (ids.length < 2)
    fail(
      'E_EMPTY',
      `corpus: expected at least 2 tokens, one to read and one to predict, received ${ids.length}. Give more text.`,
      { tokens: ids.length },
    );

  const windows = Math.ceil((ids.length - 1) / length);
  const corpus = fingerprint(ids, hashNumbers(length, seed, shuffle ? 1 : 0));
  const end = epochs ?? Number.POSITIVE_INFINITY;
  const type = (dtype: TensorType['dtype']): TensorType => ({ dtype, shape: [batch, length] });
  const types = { ids: type('i32'), targets: type('i32'), mask: type('f32') };

  let place = { epoch: 0, index: 0 };
  const { alive, close } = openness();

  // Made once an epoch: not state, only a saving.
  let order = { epoch: -1, at: (index: number): number => index };
  const windowAt = (epoch: number, index: number): number => {
    if (!shuffle) return index;
    if (order.epoch !== epoch) order = { epoch, at: permutation(windows, hashNumbers(seed, epoch)) };
    return order.at(index);
  };

  return {
    windows,
    tokens: ids.length - 1,
    types,

    async next() {
      alive();
      let { epoch, index } = place;
      if (epoch >= end) return null;
      const inputs = new Int32Array(batch * length).fill(pad);
      const targets = new Int32Array(batch * length).fill(pad);
      const mask = new Float32Array(batch * length);
      let tokens = 0;
      for (let row = 0; row < batch && epoch < end; row++) {
        const from = windowAt(epoch, index) * length;
        const count = Math.min(length, ids.length - 1 - from);
        inputs.set(ids.subarray(from, from + count), row * length);
        targets.set(ids.subarray(from + 1, from + 1 + count), row * length);
        mask.fill(1, row * length, row * length + count);
        tokens += count;
        if (++index === windows) [epoch, index] = [epoch + 1, 0];
      }
      place = { epoch, index };
      const { shape } = types.ids;
      return {
        batch: {
          ids: { dtype: 'i32', shape, data: inputs },
          targets: { dtype: 'i32', shape, data: targets },
          mask: { dtype: 'f32', shape, data: mask },
        },
        tokens,
        cursor: { epoch, index, corpus },
      };
    },

    async seek(cursor) {
      alive();
      const { epoch, index } = cursorOf(cursor, corpus, () => windows, 'Text, tokeniser, length, seed or order');
      place = { epoch, index };
    },

    close: async () => close(),
  };
}
