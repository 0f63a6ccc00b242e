import { magnitudeOutliers } from '../parts/sparsify.js';
import { taskVectors } from '../parts/task-vectors.js';
import { compat, density, gamma } from '../parts/trim-parameters.js';

export const breadcrumbsTies = taskVectors({
  name: 'breadcrumbs_ties',
  describe: 'Drops the smallest elements of each difference and the outliers, elects signs.',
  sparsifier: magnitudeOutliers,
  parameters: { density, gamma, compat },
  consensus: true,
  normalize: false,
  rescale: false,
});
