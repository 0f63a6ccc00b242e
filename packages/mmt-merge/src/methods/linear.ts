import { define, divisor, flag, total, weight, weightsOf } from '../parts/define.js';
import { sumInto, weightedSum } from '../parts/sums.js';

/** Weights as they are multiplied: divided by their sum where they are to be normalised. */
const factors = (weights: readonly number[], normalize: boolean): readonly number[] => {
  const by = normalize ? divisor(total(weights)) : 1;
  return weights.map(w => w / by);
};

export const linear = define({
  name: 'linear',
  describe: 'Weighted mean of the models (model soups, Wortsman et al. 2022).',
  laws: { orderIndependent: true, needsBase: false, skipsZeroWeight: true },
  parameters: { weight, normalize: flag('divide by the sum of the weights', true) },
  merge: inputs => weightedSum(inputs.models, factors(weightsOf(inputs), inputs.options['normalize'] === 1)),
  stream(task) {
    const weights = factors(weightsOf(task), task.options['normalize'] === 1);
    return { looks: [], write: ({ models, length }, out) => sumInto(out, models, weights, length) };
  },
});
