/** Products of every vector with every other: all that spherical means need to know of whole tensors. */

import type { MergeArray, MergePasses, MergePiece, MergeTask } from '@heddle/core';
import { addScaled, directions, dot, sumInto } from './sums.js';

/** `products[i][j]` is the inner product of vectors i and j. */
export type Gram = readonly (readonly number[])[];

export class Products {
  readonly #sums: number[][];

  constructor(count: number) {
    this.#sums = Array.from({ length: count }, () => new Array<number>(count).fill(0));
  }

  add(vectors: readonly MergeArray[], from: number, length: number): void {
    for (const [i, x] of vectors.entries()) {
      for (let j = i; j < vectors.length; j++) {
        const sum = this.#sums[i]![j]! + dot(x, vectors[j]!, from, length);
        this.#sums[i]![j] = sum;
        this.#sums[j]![i] = sum;
      }
    }
  }

  get gram(): Gram {
    return this.#sums;
  }
}

/** Passes for a result that is a combination of the vectors with factors from their products, plus the base, if any. */
export function combined(task: MergeTask, factorsOf: (gram: Gram) => readonly number[]): MergePasses {
  const products = new Products(task.models);
  let factors: readonly number[] | null = null;
  return {
    looks: [piece => products.add(directions(task, piece), 0, piece.length)],
    write(piece: MergePiece, out: MergeArray): void {
      factors ??= factorsOf(products.gram);
      sumInto(out, directions(task, piece), factors, piece.length);
      if (piece.base !== null) addScaled(out, piece.base, 1, piece.length);
    },
  };
}

/** The length of `sum_i c_i v_i`. */
export function combinedLength(gram: Gram, factors: readonly number[]): number {
  let sum = 0;
  for (const [i, a] of factors.entries()) for (const [j, b] of factors.entries()) sum += a * b * gram[i]![j]!;
  return Math.sqrt(Math.max(0, sum));
}

export const lengths = (gram: Gram): readonly number[] => gram.map((row, i) => Math.sqrt(row[i]!));
