import { magnitude } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { density } from '../parts/trim-parameters.js';

export const ties = taskVectors({
  name: 'ties',
  describe:
    'Trims each difference to its largest elements, elects a sign per element, adds those who agree (Yadav et al. 2023).',
  sparsifier: magnitude,
  parameters: { density },
  consensus: true,
  normalize: true,
  rescale: false,
});
