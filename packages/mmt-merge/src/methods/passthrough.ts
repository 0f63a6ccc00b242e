import { define, perModel } from '../parts/define.js';
import { scaled } from '../parts/sums.js';

export const passthrough = define({
  name: 'passthrough',
  describe: 'One model as it is, perhaps scaled: for stacking layers.',
  laws: { orderIndependent: true, needsBase: false, models: { most: 1 } },
  parameters: { scale: perModel('factor', { default: 1 }) },
  merge: ({ models, each }) => models[0]!.mul(each[0]!['scale'] ?? 1),
  stream: ({ each }) => ({
    looks: [],
    write: ({ models, length }, out) => scaled(out, models[0]!, each[0]!['scale'] ?? 1, length),
  }),
});
