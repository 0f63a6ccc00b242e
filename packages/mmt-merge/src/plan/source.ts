/** Where the numbers of a tensor come from: plain data, so that plans can be printed and sent to threads. */

import type { Shape } from '@heddle/core';
import { byteSize, elementCount, type StorageDtype } from '@heddle/core/files';

export type Source = StoredSource | AdaptedSource | RowsSource;

/** A tensor, or the first rows of one, as it lies in a file. */
export interface StoredSource {
  readonly kind: 'stored';
  readonly file: string;
  /** Byte of the file. */
  readonly start: number;
  readonly dtype: StorageDtype;
  readonly shape: Shape;
}

/** `base + scale * left . right`: a matrix with an adapter on it; without a base, the difference alone. */
export interface AdaptedSource {
  readonly kind: 'adapted';
  readonly shape: Shape;
  readonly base: Source | null;
  /** [rows, rank], or [rank, rows] when stored transposed. */
  readonly left: StoredSource;
  /** [rank, columns], or [columns, rank] when stored transposed. */
  readonly right: StoredSource;
  readonly transposed: boolean;
  readonly scale: number;
}

/** Rows put together anew: a table of tokens in the order of another vocabulary. */
export interface RowsSource {
  readonly kind: 'rows';
  readonly shape: Shape;
  readonly sources: readonly Source[];
  /** In the order of the rows they make; all counts add up to the rows. */
  readonly runs: readonly RowRun[];
}

export type RowRun =
  | { readonly count: number; readonly source: number; readonly from: number }
  /** One row: the mean of some. */
  | { readonly count: 1; readonly mean: readonly (readonly [source: number, row: number])[] }
  /** The mean of all rows of a source, for rows that pad. */
  | { readonly count: number; readonly meanOf: number; readonly rows: number }
  | { readonly count: number; readonly zero: true };

export const storedBytes = ({ shape, dtype }: Pick<StoredSource, 'shape' | 'dtype'>): number =>
  elementCount(shape) * byteSize[dtype];

/** Bytes to be read for a whole source. */
export function bytesOfSource(source: Source): number {
  switch (source.kind) {
    case 'stored':
      return storedBytes(source);
    case 'adapted':
      return (
        (source.base === null ? 0 : bytesOfSource(source.base)) + storedBytes(source.left) + storedBytes(source.right)
      );
    case 'rows': {
      const width = source.shape.slice(1).reduce((n, length) => n * length, 1);
      const rows = source.runs.reduce((n, run) => n + ('zero' in run ? 0 : 'mean' in run ? run.mean.length : 'meanOf' in run ? run.rows : run.count), 0); // prettier-ignore
      const dtype = dtypeOfSource(source);
      return rows * width * byteSize[dtype];
    }
  }
}

/** What a source is stored in, mostly. */
export const dtypeOfSource = (source: Source): StorageDtype =>
  source.kind === 'stored'
    ? source.dtype
    : source.kind === 'adapted'
      ? source.base === null
        ? source.left.dtype
        : dtypeOfSource(source.base)
      : dtypeOfSource(source.sources[0]!);

/** Files that a source reads. */
export function filesOf(source: Source): readonly string[] {
  switch (source.kind) {
    case 'stored':
      return [source.file];
    case 'adapted':
      return [...(source.base === null ? [] : filesOf(source.base)), source.left.file, source.right.file];
    case 'rows':
      return source.sources.flatMap(filesOf);
  }
}
