/**
 * PEFT's `add_weighted_adapter`, over the factors of adapters: what `mode: factors` runs, in pieces and over threads. Not for
 * recipes: nothing is divided by weights, there is no base, and signs are elected without weights.
 *
 * Parameters of each model: `weight`, the root of weight times scale; `density`.
 */

import { where, type MergeArray, type MergeMethod, type MergePiece, type Tensor } from '@heddle/core';
import { consensusInto } from '../parts/consensus.js';
import { define, weight, weightsOf } from '../parts/define.js';
import { bernoulli, densityOf, magnitude, valuesOf, type Sparsifier } from '../parts/sparsify.js';
import { divideInto, sumInto, weightedSum } from '../parts/sums.js';
import { density } from '../parts/trim-parameters.js';

interface Parts {
  readonly name: string;
  readonly sparsifier: Sparsifier | null;
  readonly consensus: boolean;
}

/** What is dropped at random is made up for, as in DARE; what is trimmed is not, as in TIES. */
const rescaled = (sparsifier: Sparsifier | null, kept: number): number => (sparsifier?.random && kept > 0 ? 1 / kept : 1); // prettier-ignore

const byFactor = ({ name, sparsifier, consensus }: Parts): MergeMethod =>
  define({
    name: `factors ${name}`,
    describe: `PEFT's ${name}, factor by factor.`,
    laws: { orderIndependent: true, needsBase: false },
    random: sparsifier?.random ?? false,
    parameters: { weight, ...(sparsifier ? { density } : {}) },

    merge(inputs) {
      const { models, each, uniforms } = inputs;
      const weights = weightsOf(inputs);
      const kept = models.map((x, at) => {
        const share = densityOf(each[at]!);
        if (sparsifier === null || share >= 1) return x;
        return x.mul(sparsifier.graph(x, valuesOf(inputs, at), uniforms[at] ?? null)).mul(rescaled(sparsifier, share));
      });
      return consensus ? agreed(kept, weights) : weightedSum(kept, weights);
    },

    stream(task) {
      const { each, scratch } = task;
      const weights = weightsOf(task);
      const trims = each.map((values, at) =>
        sparsifier === null || densityOf(values) >= 1 ? null : sparsifier.stream(task, at),
      );
      const ones = weights.map(() => 1);
      const scales = each.map((values, at) => (trims[at] ? rescaled(sparsifier, densityOf(values)) : 1));
      // A look reads: it gets the numbers as they are held. Trimming writes: it gets a copy.
      const looks = Array.from({ length: Math.max(0, ...trims.map(one => one?.looks.length ?? 0)) }, (_, turn) =>
        (piece: MergePiece): void => {
          for (const [at, one] of trims.entries()) one?.looks[turn]?.(piece.models[at]!, piece);
        },
      ); // prettier-ignore
      return {
        looks,
        write(piece, out) {
          const { length } = piece;
          const kept = piece.models.map((x, at) => {
            if (trims[at] === null) return x;
            const own = scratch(`kept ${at}`);
            own.set(x.subarray(0, length));
            trims[at]!.trim(own, piece);
            return own;
          });
          const factors = weights.map((w, at) => w * scales[at]!);
          const alike = scales.every(scale => scale === scales[0]) && factors.every(factor => factor === factors[0]);
          if (consensus && alike && factors[0]! > 0) {
            // A common factor turns no election: the loops of TIES, whose weights count heads here.
            const [count, elected] = [scratch('count'), scratch('elected')];
            consensusInto(out, count, elected, kept, factors, ones, length);
            divideInto(out, count, length);
          } else if (consensus) agreeInto(out, kept, factors, scales, length);
          else sumInto(out, kept, factors, length);
        },
      };
    },
  });

/** Of those whose sign is that of the sum, a sum of 0 being positive: the weighted sum over their number. */
function agreed(kept: readonly Tensor[], weights: readonly number[]): Tensor {
  const negative = kept.reduce((a, b) => a.add(b)).less(0);
  const agrees = (x: Tensor, amount: Tensor): Tensor =>
    where(negative, where(x.less(0), amount, 0), where(x.greater(0), amount, 0));
  const sum = kept.map((x, i) => agrees(x, x.mul(weights[i]!))).reduce((a, b) => a.add(b));
  const one = kept[0]!.mul(0).add(1);
  const count = kept.map(x => agrees(x, one)).reduce((a, b) => a.add(b));
  return sum.div(where(count.less(1), 1, count));
}

/** The same over arrays; `votes`: what each is multiplied by before signs are elected. */
function agreeInto(
  out: MergeArray,
  kept: readonly MergeArray[],
  factors: readonly number[],
  votes: readonly number[],
  length: number,
): void {
  const n = kept.length;
  for (let i = 0; i < length; i++) {
    let vote = 0;
    for (let k = 0; k < n; k++) vote += votes[k]! * kept[k]![i]!;
    let [sum, count] = [0, 0];
    for (let k = 0; k < n; k++) {
      const x = kept[k]![i]!;
      if (vote < 0 ? x < 0 : x > 0) {
        sum += factors[k]! * x;
        count++;
      }
    }
    out[i] = count > 1 ? sum / count : sum;
  }
}

const parts: readonly Parts[] = [
  { name: 'linear', sparsifier: null, consensus: false },
  { name: 'task_arithmetic', sparsifier: null, consensus: false },
  { name: 'ties', sparsifier: magnitude, consensus: true },
  { name: 'dare_linear', sparsifier: bernoulli, consensus: false },
  { name: 'dare_ties', sparsifier: bernoulli, consensus: true },
];

/** By the name that recipes give. */
export const factorMethods: Readonly<Record<string, MergeMethod>> = Object.fromEntries(
  parts.map(part => [part.name, byFactor(part)]),
);
