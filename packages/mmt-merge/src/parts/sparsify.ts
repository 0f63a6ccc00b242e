/**
 * Which elements of a task vector stay. Each way is a rule for a mask, on both sides: as a graph, and over pieces.
 *
 * Sources: TIES (Yadav et al. 2023), DARE (Yu et al. 2023), Model Breadcrumbs (Davari and Belilovsky 2023), DELLA (Deep
 * et al. 2024), in the form that mergekit gives them; where that differs from the papers, see DIFFERENCES.md.
 */

import {
  abs,
  constant,
  iota,
  where,
  type MergeArray,
  type MergePiece,
  type MergeTask,
  type Tensor,
} from '@heddle/core';
import { loopsFor } from '../simd/simd.js';
import { largest, selector } from './select.js';

/** Numbers that a rule needs, of one model. */
export type Values = Readonly<Record<string, number>>;

export interface Sparsifier {
  /** Draws from the uniform numbers of the model. */
  readonly random: boolean;
  /** 0 and 1 for each element. @shape difference [...s], uniforms [...s] or null -> [...s] */
  graph(difference: Tensor, values: Values, uniforms: Tensor | null): Tensor;
  /** The same in pieces. */
  stream(task: MergeTask, model: number): Trimming;
}

export interface Trimming {
  readonly looks: readonly ((difference: MergeArray, piece: MergePiece) => void)[];
  /** Makes zeros of what does not stay. */
  trim(difference: MergeArray, piece: MergePiece): void;
}

/** What a recipe says of one model, and of the merge where it says nothing of the model. */
export const valuesOf = ({ options, each }: Pick<MergeTask, 'options' | 'each'>, model: number): Values => ({
  ...options,
  ...each[model],
});

export const densityOf = (values: Values): number => values['density'] ?? 1;

/** The int(density * n) largest magnitudes; at least one, so that a scalar is not lost. */
export const magnitude: Sparsifier = {
  random: false,
  graph(difference, values) {
    const n = difference.size;
    return largest(abs(difference).reshape(n), countOf(n, densityOf(values))).reshape(...difference.shape);
  },
  stream(task, model) {
    const wanted = [countOf(task.elements, densityOf(valuesOf(task, model)))];
    // Differences from a base have all their bits.
    const coarse = !task.hasBase && task.coarse?.[model] === true;
    const select = selector({ magnitude: true, wanted: () => wanted, coarse });
    return {
      looks: select.looks.map(
        look =>
          (difference, { length }) =>
            look(difference, length),
      ),
      trim: (difference, { start, length }) =>
        select.taken(0, dropBelow(difference, length, select.value(0), select.ties(0, start))),
    };
  },
};

/** @returns how many of `ties` are left */
function dropBelow(numbers: MergeArray, length: number, value: number, ties: number): number {
  const loops = loopsFor(numbers);
  let left = ties;
  for (let i = 0; i < length;) {
    // Vectors as far as nothing is equal to the value; then four by one, where order decides.
    const whole = (length - i) & ~3;
    if (loops !== null && whole > 0) i += loops.dropBelow(numbers.byteOffset + i * 4, value, whole);
    for (const end = Math.min(length, loops === null ? length : i + 4); i < end; i++) {
      const size = Math.abs(Math.fround(numbers[i]!));
      if (size > value) continue;
      if (size < value || left === 0) numbers[i] = 0;
      else left--;
    }
  }
  return left;
}

/** The same for what is too large: numbers equal to the value were taken by the other side first. */
function dropAbove(numbers: MergeArray, length: number, value: number, ties: number): number {
  let left = ties;
  for (let i = 0; i < length; i++) {
    const size = Math.abs(Math.fround(numbers[i]!));
    if (size < value || value === Infinity) continue;
    if (size > value) numbers[i] = 0;
    else if (left > 0) {
      numbers[i] = 0;
      left--;
    }
  }
  return left;
}

const countOf = (n: number, density: number): number => (density <= 0 ? 0 : Math.max(1, Math.trunc(density * n)));

/** Neither the largest, a share `gamma` of all, nor the smallest, so many that `density` of all remain. */
export const magnitudeOutliers: Sparsifier = {
  random: false,
  graph(difference, values) {
    const n = difference.size;
    const { kept, top } = outliers(n, values);
    const magnitudes = abs(difference).reshape(n);
    const mask = largest(magnitudes, kept + top);
    return (top === 0 ? mask : mask.sub(largest(magnitudes, top))).reshape(...difference.shape);
  },
  stream(task, model) {
    const { kept, top } = outliers(task.elements, valuesOf(task, model));
    const select = selector({ magnitude: true, wanted: () => [kept + top, top] });
    return {
      looks: select.looks.map(
        look =>
          (difference, { length }) =>
            look(difference, length),
      ),
      trim(difference, { start, length }) {
        select.taken(1, dropAbove(difference, length, select.value(1), select.ties(1, start)));
        select.taken(0, dropBelow(difference, length, select.value(0), select.ties(0, start)));
      },
    };
  },
};

/** How many stay and how many are too large to; where there is no room for both, fewer are too large. */
function outliers(n: number, values: Values): { readonly kept: number; readonly top: number } {
  const kept = Math.trunc(densityOf(values) * n);
  const wanted = Math.trunc((values['gamma'] ?? 0.01) * n);
  if (values['compat'] === 1 && Math.min(wanted, n - kept) <= 0) return { kept: 0, top: 0 };
  return { kept, top: Math.max(0, Math.min(wanted, n - kept)) };
}

/** Each with probability `density`, whatever it is. */
export const bernoulli: Sparsifier = {
  random: true,
  graph: (difference, values, uniforms) => where(uniforms!.less(densityOf(values)), 1, difference.mul(0).add(0)),
  stream: (task, model) => ({
    looks: [],
    trim(difference, piece) {
      const density = Math.fround(densityOf(valuesOf(task, model)));
      const uniforms = piece.uniforms(model);
      for (let i = 0; i < piece.length; i++) if (!(uniforms[i]! < density)) difference[i] = 0;
    },
  }),
};

/** With a probability that rises with the rank of its magnitude in its row, from density - epsilon to density + epsilon. */
export const byRank: Sparsifier = {
  random: true,
  graph(difference, values, uniforms) {
    const columns = difference.shape.at(-1) ?? 1;
    const rows = difference.size / columns;
    const magnitudes = abs(difference).reshape(rows, columns);
    const mine = magnitudes.reshape(rows, columns, 1);
    const other = magnitudes.reshape(rows, 1, columns);
    const earlier = iota([1, columns, columns], 2)
      .less(iota([1, columns, columns], 1))
      .broadcastTo([rows, columns, columns]);
    const one = constant([1], [1]);
    const below = where(other.less(mine), one, where(other.equal(mine), where(earlier, one, 0), 0)).sum(-1); // 0..c-1
    const { low, step } = ramp(columns, values);
    const probability = below.mul(step).add(low);
    return where(uniforms!.reshape(rows, columns).less(probability), one, 0).reshape(...difference.shape);
  },
  stream(task, model) {
    const { columns } = task;
    const { low, step } = ramp(columns, valuesOf(task, model));
    const order = new Float64Array(columns);
    const ranks = new Uint32Array(columns);
    const word = new Uint32Array(1);
    const float = new Float32Array(word.buffer);
    return {
      looks: [],
      trim(difference, piece) {
        const uniforms = piece.uniforms(model);
        for (let row = 0; row < piece.length; row += columns) {
          // Bits of the magnitude above, place below: one sort of plain numbers. 31 + 22 bits fit a double.
          for (let i = 0; i < columns; i++) {
            float[0] = Math.abs(difference[row + i]!);
            order[i] = word[0]! * 0x40_0000 + i;
          }
          order.sort();
          for (let rank = 0; rank < columns; rank++) ranks[order[rank]! % 0x40_0000] = rank;
          for (let i = 0; i < columns; i++) if (!(uniforms[row + i]! < low + step * ranks[i]!)) difference[row + i] = 0;
        }
      },
    };
  },
};

function ramp(columns: number, values: Values): { readonly low: number; readonly step: number } {
  const epsilon = values['epsilon'] ?? 0.15;
  const density = densityOf(values);
  if (density <= 0) return { low: -1, step: 0 }; // nothing stays
  // A row of one has no ranks: it stays with the density itself.
  return columns === 1 ? { low: density, step: 0 } : { low: density - epsilon, step: (2 * epsilon) / (columns - 1) };
}

/** What a masked vector is scaled to keep: the sum of magnitudes, the length, or the largest magnitude. */
export type Norm = 'l1' | 'l2' | 'linf';

/** `masked`, scaled so that it has the norm of `whole`; as it is where either is nearly nothing. */
export function restored(whole: Tensor, masked: Tensor, norm: Norm): Tensor {
  const [before, after] = [normOf(whole, norm), normOf(masked, norm)];
  const fit = (x: Tensor): Tensor => where(x.less(1e-7), 1, constant([0], [1])); // 1: too small
  const tiny = fit(before).add(fit(after)).greater(0);
  const factor = where(tiny, 1, before.div(where(tiny, 1, after)));
  return masked.mul(factor.reshape(...masked.shape.map(() => 1)));
}

const normOf = (x: Tensor, norm: Norm): Tensor =>
  (norm === 'l1' ? abs(x).sum() : norm === 'l2' ? x.square().sum().sqrt() : abs(x).max()).reshape(1);

/** Gathers a norm before and after trimming, over pieces. */
export function norms(norm: Norm): {
  before(difference: MergeArray, length: number): void;
  after(difference: MergeArray, length: number): void;
  factor(): number;
} {
  let whole = 0;
  let trimmed = 0;
  return {
    before: (difference, length) => void (whole = gathered(norm, whole, difference, length)),
    after: (difference, length) => void (trimmed = gathered(norm, trimmed, difference, length)),
    factor() {
      const [a, b] = norm === 'l2' ? [Math.sqrt(whole), Math.sqrt(trimmed)] : [whole, trimmed];
      return a < 1e-7 || b < 1e-7 ? 1 : a / b;
    },
  };
}

function gathered(norm: Norm, before: number, difference: MergeArray, length: number): number {
  let sum = before;
  const loops = norm === 'l1' ? loopsFor(difference) : null;
  const whole = loops === null ? 0 : length & ~3;
  sum += loops?.size(difference.byteOffset, whole) ?? 0;
  if (norm === 'l1') for (let i = whole; i < length; i++) sum += Math.abs(difference[i]!);
  else if (norm === 'l2') for (let i = 0; i < length; i++) sum += difference[i]! * difference[i]!;
  else for (let i = 0; i < length; i++) sum = Math.max(sum, Math.abs(difference[i]!));
  return sum;
}
