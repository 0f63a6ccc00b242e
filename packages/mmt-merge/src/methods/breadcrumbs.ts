import { magnitudeOutliers } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { compat, density, gamma } from '../parts/trim-parameters.js';

export const breadcrumbs = taskVectors({
  name: 'breadcrumbs',
  describe: 'Drops the smallest elements of each difference and the outliers, adds (Davari and Belilovsky 2023).',
  sparsifier: magnitudeOutliers,
  parameters: { density, gamma, compat },
  consensus: false,
  normalize: false,
  rescale: false,
});
