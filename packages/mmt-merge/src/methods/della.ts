import { byRank } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { density, epsilon } from '../parts/trim-parameters.js';

export const della = taskVectors({
  name: 'della',
  describe: 'Drops elements at random, small ones rather than large ones of a row, elects signs (Deep et al. 2024).',
  sparsifier: byRank,
  parameters: { density, epsilon },
  consensus: true,
  normalize: true,
  rescale: true,
});
