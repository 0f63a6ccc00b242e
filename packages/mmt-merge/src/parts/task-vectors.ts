/**
 * Methods that add task vectors, differences from a common base: trimmed, weighed, perhaps by consensus of signs.
 *
 * One pipeline, eight methods: `methods/ties.ts` and its neighbours say which parts they take.
 */

import {
  where,
  type MergeArray,
  type MergeMethod,
  type MergeParameter,
  type MergePiece,
  type Tensor,
} from '@heddle/core';
import { consensusInto, signConsensus } from './consensus.js';
import { baseOf, define, divisor, flag, perMerge, total, weight, weightsOf } from './define.js';
import { loopsFor } from '../simd/simd.js';
import { densityOf, norms, restored, valuesOf, type Sparsifier } from './sparsify.js';
import { divideInto, subtract, sumInto, weightedSum } from './sums.js';

export interface TaskVectorParts {
  readonly name: string;
  readonly describe: string;
  readonly sparsifier: Sparsifier | null;
  /** What the sparsifier asks of each model. */
  readonly parameters?: Readonly<Record<string, MergeParameter>>;
  readonly consensus: boolean;
  /** Whether the sum is divided by the weights that went into it, where a recipe does not say. */
  readonly normalize: boolean;
  /** Whether what is left after trimming is scaled to the L1 norm before it. */
  readonly rescale: boolean;
}

export const taskVectors = ({
  name,
  describe,
  sparsifier,
  parameters = {},
  consensus,
  normalize,
  rescale,
}: TaskVectorParts): MergeMethod =>
  define({
    name,
    describe,
    laws: { orderIndependent: true, needsBase: true, skipsZeroWeight: true },
    random: sparsifier?.random ?? false,
    parameters: {
      weight,
      ...parameters,
      lambda: perMerge('factor of the whole difference', { default: 1 }),
      normalize: flag('divide by the weights that went in', normalize),
      rescale: flag('keep the L1 norm of each difference when it is trimmed', rescale),
    },

    merge(inputs) {
      const base = baseOf(name, inputs);
      const { models, each, options, uniforms } = inputs;
      const weights = weightsOf(inputs);
      if (models.length === 0) return base;
      const vectors = models.map((model, at) => {
        const difference = model.sub(base);
        if (sparsifier === null || densityOf(each[at]!) >= 1) return difference;
        const kept = difference.mul(sparsifier.graph(difference, valuesOf(inputs, at), uniforms[at] ?? null));
        return options['rescale'] === 1 ? restored(difference, kept, 'l1') : kept;
      });
      return base.add(summed(vectors, weights, options['normalize'] === 1, consensus).mul(options['lambda'] ?? 1));
    },

    stream(task) {
      const { models, each, options, scratch } = task;
      const weights = weightsOf(task);
      const trimmed = each.map((values, at) =>
        sparsifier === null || densityOf(values) >= 1
          ? null
          : { ...sparsifier.stream(task, at), norms: options['rescale'] === 1 ? norms('l1') : null },
      );
      const difference = ({ models: inputs, base, length }: MergePiece, at: number): MergeArray => {
        const out = scratch(`difference ${at}`);
        subtract(out, inputs[at]!, base!, length);
        return out;
      };

      const ownLooks = Math.max(0, ...trimmed.map(one => one?.looks.length ?? 0));
      const looks = Array.from({ length: ownLooks }, (_, turn) => (piece: MergePiece): void => {
        for (const [at, one] of trimmed.entries()) one?.looks[turn]?.(difference(piece, at), piece);
      });
      if (trimmed.some(one => one?.norms)) {
        looks.push(piece => {
          for (const [at, one] of trimmed.entries()) {
            if (!one?.norms) continue;
            const vector = difference(piece, at);
            one.norms.before(vector, piece.length);
            one.trim(vector, piece);
            one.norms.after(vector, piece.length);
          }
        });
      }

      const lambda = options['lambda'] ?? 1;
      /** Weights, and what trimming took of the norms. */
      let factors: readonly number[] | null = null;
      const places = Array.from({ length: models }, (_, at) => at);
      return {
        looks,
        write(piece, out) {
          const { length } = piece;
          factors ??= weights.map((w, at) => w * (trimmed[at]?.norms?.factor() ?? 1));
          const vectors = places.map(at => {
            const vector = difference(piece, at);
            trimmed[at]?.trim(vector, piece);
            return vector;
          });
          if (consensus) {
            const [weight, elected] = [scratch('weight'), scratch('elected')];
            consensusInto(out, weight, elected, vectors, factors, weights, length);
            if (options['normalize'] === 1) divideInto(out, weight, length);
            addTo(out, piece.base!, lambda, length);
          } else {
            const factor = options['normalize'] === 1 ? lambda / divisor(total(weights)) : lambda;
            sumInto(out, vectors, factors, length);
            addTo(out, piece.base!, factor, length);
          }
        },
      };
    },
  });

function summed(
  vectors: readonly Tensor[],
  weights: readonly number[],
  normalize: boolean,
  consensus: boolean,
): Tensor {
  if (!consensus) return weightedSum(vectors, weights).mul(normalize ? 1 / divisor(total(weights)) : 1);
  const { sum, weight } = signConsensus(vectors, weights);
  return normalize ? sum.div(where(weight.equal(0), 1, weight)) : sum;
}

/** `out = base + factor * out` */
function addTo(out: MergeArray, base: MergeArray, factor: number, length: number): void {
  const loops = loopsFor(out, base);
  const whole = loops === null ? 0 : length & ~3;
  loops?.addTo(out.byteOffset, base.byteOffset, factor, whole);
  for (let i = whole; i < length; i++) out[i] = base[i]! + factor * out[i]!;
}
