/** What core itself contributes, through the same door as everybody else. */

import { referenceOffer } from '../backend/reference.js';
import { ARTIFACTS, memoryArtifacts } from '../pipeline/artifacts.js';
import { inProcess } from '../pipeline/executor.js';
import { memoryResults, RESULTS } from '../pipeline/results.js';
import { version } from '../version.js';
import { provide } from './container.js';
import { definePlugin } from './plugin.js';
import { BACKENDS, EXECUTORS } from './points.js';
import { contribute } from './registry.js';

export const builtIn = definePlugin({
  name: '@heddle/core',
  version,
  register(container) {
    contribute(container, BACKENDS, referenceOffer);
    contribute(container, EXECUTORS, inProcess);
    provide(container, ARTIFACTS, memoryArtifacts, 'host');
    provide(container, RESULTS, memoryResults, 'host');
  },
});
