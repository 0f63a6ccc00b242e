import { bernoulli } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { density } from '../parts/trim-parameters.js';

export const dareTies = taskVectors({
  name: 'dare_ties',
  describe: 'Drops elements of each difference at random, scales up the rest, elects signs (Yu et al. 2023).',
  sparsifier: bernoulli,
  parameters: { density },
  consensus: true,
  normalize: false,
  rescale: true,
});
