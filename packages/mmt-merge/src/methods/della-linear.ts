import { byRank } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { density, epsilon } from '../parts/trim-parameters.js';

export const dellaLinear = taskVectors({
  name: 'della_linear',
  describe: 'Drops elements at random, small ones rather than large ones of a row, adds (Deep et al. 2024).',
  sparsifier: byRank,
  parameters: { density, epsilon },
  consensus: false,
  normalize: false,
  rescale: true,
});
