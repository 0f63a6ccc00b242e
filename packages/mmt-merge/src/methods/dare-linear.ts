import { bernoulli } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { density } from '../parts/trim-parameters.js';

export const dareLinear = taskVectors({
  name: 'dare_linear',
  describe: 'Drops elements of each difference at random, scales up the rest, adds (Yu et al. 2023).',
  sparsifier: bernoulli,
  parameters: { density },
  consensus: false,
  normalize: false,
  rescale: true,
});
