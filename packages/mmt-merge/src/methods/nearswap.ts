import { abs, clip } from '@heddle/core';
import { maximumOf } from '../parts/angle.js';
import { baseOf, define, perMerge } from '../parts/define.js';

const least = 1e-6;

export const nearswap = define({
  name: 'nearswap',
  describe: 'Takes the model where it is near the base, and less of it the further it is.',
  laws: { orderIndependent: false, needsBase: true, models: { most: 1 } },
  parameters: { t: perMerge('distance up to which the model is taken whole', { least: 0 }) },
  merge(inputs) {
    const base = baseOf('nearswap', inputs);
    const model = inputs.models[0]!;
    const gap = maximumOf(abs(base.sub(model)), least);
    const share = clip(gap.mul(0).add(inputs.options['t']!).div(gap), 0, 1);
    return share.mul(model).add(base.mul(share.mul(-1).add(1)));
  },
  stream: ({ options }) => ({
    looks: [],
    write({ base, models: [model], length }, out) {
      const t = options['t']!;
      for (let i = 0; i < length; i++) {
        const [a, x] = [base![i]!, model![i]!];
        const share = Math.min(1, t / Math.max(Math.abs(a - x), least));
        out[i] = share * x + (1 - share) * a;
      }
    },
  }),
});
