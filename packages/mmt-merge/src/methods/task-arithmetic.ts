import { taskVectors } from '../parts/task-vectors.js';

export const taskArithmetic = taskVectors({
  name: 'task_arithmetic',
  describe: 'Adds weighted differences from the base (Ilharco et al. 2022).',
  sparsifier: null,
  consensus: false,
  normalize: false,
  rescale: false,
});
