import { where, type Tensor } from '@heddle/core';
import { lengthOf } from '../parts/angle.js';
import { define, divisor, flag, perMerge, total, weight, weightsOf } from '../parts/define.js';
import { combined, combinedLength, lengths, type Gram } from '../parts/gram.js';
import { weightedSum } from '../parts/sums.js';

const shares = (weights: readonly number[], normalize: boolean): readonly number[] => {
  const by = normalize ? divisor(total(weights)) : 1;
  return weights.map(w => w / by);
};

/**
 * The weighted mean of directions, as long as the weighted mean of lengths.
 *
 * mergekit goes on from that mean along the mean of the tangents at it. The tangents at a mean add up to nothing, so this
 * step is of length zero up to rounding, and is left out.
 */
function factorsOf(gram: Gram, weights: readonly number[], epsilon: number): readonly number[] {
  const sizes = lengths(gram);
  const units = weights.map((w, i) => w / (sizes[i]! + epsilon));
  const mean = combinedLength(gram, units);
  const length = total(weights.map((w, i) => w * sizes[i]!));
  // Opposite directions have no mean; the straight way is all there is.
  return mean < epsilon ? weights : units.map(u => (u * length) / mean);
}

export const multislerp = define({
  name: 'multislerp',
  describe: 'Mean of several models on the sphere; from a base, of their differences from it.',
  laws: { orderIndependent: true, needsBase: false, takesBase: 'base', skipsZeroWeight: true },
  parameters: {
    weight,
    normalize_weights: flag('divide by the sum of the weights', true),
    eps: perMerge('lengths below this are nothing', { default: 1e-8, least: 0 }),
  },
  merge(inputs) {
    const { models, base, options } = inputs;
    const weights = shares(weightsOf(inputs), options['normalize_weights'] === 1);
    const epsilon = options['eps']!;
    const vectors = base === null ? models : models.map(model => model.sub(base));
    const sizes = vectors.map(vector => lengthOf(vector));
    const sum = weightedSum(vectors.map((vector, i) => vector.div(sizes[i]!.add(epsilon))), weights); // prettier-ignore
    const mean = lengthOf(sum);
    const nothing = mean.less(epsilon);
    const length = weightedSum(sizes, weights);
    const merged: Tensor = where(nothing, weightedSum(vectors, weights), sum.mul(length.div(where(nothing, 1, mean))));
    return base === null ? merged : merged.add(base);
  },
  stream(task) {
    const weights = shares(weightsOf(task), task.options['normalize_weights'] === 1);
    return combined(task, gram => factorsOf(gram, weights, task.options['eps']!));
  },
});
