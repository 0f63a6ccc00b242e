/** Batches of subjects that can be left and found again. */

import { fail, streamOf, uniforms, type Batches, type HostTensor, type TensorType } from '@heddle/core';
import { shuffle } from './split.js';
import type { Subject } from './subject.js';

export interface SubjectBatchOptions {
  /** Subjects of a batch. */
  readonly batch: number;
  readonly seed?: number;
  /** false keeps the order given. Default true: a new order each epoch. */
  readonly shuffle?: boolean;
  /** How often the subjects are gone through; null for ever, which is the default. */
  readonly epochs?: number | null;
}

export type SubjectTensors = Readonly<Record<'features' | 'labels' | 'mask', HostTensor>>;

export interface SubjectCursor {
  readonly epoch: number;
  /** Subjects of the epoch that are done. */
  readonly index: number;
  /** Of subjects, seed and order: a cursor fits only what it was made with. */
  readonly corpus: string;
}

export interface SubjectBatch {
  /** `features` f32 [B, R, R], a region's correlations as its token; `labels` i32 [B]; `mask` f32 [B], 0 for rows without a subject. */
  readonly batch: SubjectTensors;
  /** Subjects. */
  readonly tokens: number;
  readonly cursor: SubjectCursor;
  /** Who stands in each row; null for nobody. */
  readonly ids: readonly (string | null)[];
}

export interface SubjectBatches extends Batches {
  next(): Promise<SubjectBatch | null>;
  readonly subjects: number;
  readonly regions: number;
  readonly types: Readonly<Record<keyof SubjectTensors, TensorType>>;
}

/**
 * Batches are full: the end of an epoch and the beginning of the next share one. Only after the last epoch are rows empty.
 *
 * @throws E_OPTION; E_EMPTY for no subjects; E_MATRIX for subjects with different numbers of regions
 */
export function subjectBatches(
  subjects: readonly Subject[],
  { batch, seed = 0, shuffle: mixed = true, epochs = null }: SubjectBatchOptions,
): SubjectBatches {
  for (const [name, value, least] of [
    ['batch', batch, 1],
    ['epochs', epochs ?? 1, 1],
    ['seed', seed, 0],
  ] as const)
    if (!Number.isSafeInteger(value) || value < least)
      fail(
        'E_OPTION',
        `${name}: expected a whole number of at least ${least}, received ${value}. Correct the option.`,
        {
          [name]: value,
        },
      );
  const [first] = subjects;
  if (first === undefined) return fail('E_EMPTY', 'subjects: expected at least one, received none. Give some.');
  const cells = first.matrix.length;
  const regions = Math.round(Math.sqrt(cells));
  const other = subjects.find(({ matrix }) => matrix.length !== cells);
  if (other !== undefined)
    fail(
      'E_MATRIX',
      `subject '${other.id}': expected ${regions} regions, as subject '${first.id}' has, received ${Math.sqrt(other.matrix.length)}. Use one atlas for all.`,
      { id: other.id, regions },
    );

  const corpus = streamOf(
    JSON.stringify([
      seed,
      mixed,
      regions,
      ...subjects.map(({ id, label, matrix }) => [id, label, matrix.reduce((sum, value) => sum + value, 0)]),
    ]),
  ).toString(16);
  const types = {
    features: { dtype: 'f32', shape: [batch, regions, regions] },
    labels: { dtype: 'i32', shape: [batch] },
    mask: { dtype: 'f32', shape: [batch] },
  } satisfies Record<keyof SubjectTensors, TensorType>;
  const end = epochs ?? Number.POSITIVE_INFINITY;
  let order = { epoch: -1, subjects }; // not state, only a saving
  const subjectsOf = (epoch: number): readonly Subject[] => {
    if (mixed && order.epoch !== epoch) order = { epoch, subjects: shuffle(subjects, uniforms(seed, epoch)) };
    return order.subjects;
  };
  let place = { epoch: 0, index: 0 };
  let closed = false;
  const alive = (): void => {
    if (closed)
      fail('E_CLOSED', 'subject batches: expected an open source, received a call after close(). Open it again.');
  };

  return {
    subjects: subjects.length,
    regions,
    types,

    async next() {
      alive();
      let { epoch, index } = place;
      if (epoch >= end) return null;
      const features = new Float32Array(batch * cells);
      const labels = new Int32Array(batch);
      const mask = new Float32Array(batch);
      const ids: (string | null)[] = [];
      for (let row = 0; row < batch; row++) {
        if (epoch >= end) {
          ids.push(null);
          continue;
        }
        const { id, label, matrix } = subjectsOf(epoch)[index]!;
        features.set(matrix, row * cells);
        labels[row] = label;
        mask[row] = 1;
        ids.push(id);
        if (++index === subjects.length) [epoch, index] = [epoch + 1, 0];
      }
      place = { epoch, index };
      return {
        batch: {
          features: { ...types.features, data: features },
          labels: { ...types.labels, data: labels },
          mask: { ...types.mask, data: mask },
        },
        tokens: ids.filter(id => id !== null).length,
        cursor: { ...place, corpus },
        ids,
      };
    },

    async seek(cursor) {
      alive();
      const {
        epoch,
        index,
        corpus: of,
      } = (typeof cursor === 'object' && cursor !== null ? cursor : {}) as Partial<SubjectCursor>;
      const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
      if (!whole(epoch) || !whole(index) || index >= subjects.length || of !== corpus)
        return fail(
          'E_CURSOR',
          `subject batches: expected a cursor of these subjects (${corpus}), received ${(JSON.stringify(cursor) ?? 'nothing').slice(0, 80)}. Subjects, seed or order changed: restore them, or start anew.`,
          { cursor, corpus },
        );
      place = { epoch, index };
    },

    async close() {
      closed = true;
    },
  };
}
