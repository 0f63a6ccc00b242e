/** Brain networks for classification: correlation matrices of subjects, read or generated, parted and batched. */

import { DATA, contribute, definePlugin } from '@heddle/core';
import { connectomeSource } from './source.node.js';
import { version } from './version.js';

export {
  subjectBatches,
  type SubjectBatch,
  type SubjectBatches,
  type SubjectBatchOptions,
  type SubjectCursor,
  type SubjectTensors,
} from './batches.js';
export { readSubjects, type ReadSubjectsOptions, type SubjectReading } from './files.node.js';
export { generateSubjects, type GenerateOptions } from './generate.js';
export { readNpy, type NumpyArray } from './npy.js';
export { pearson, type Correlations } from './pearson.js';
export { openConnectome, type ConnectomeOptions } from './source.node.js';
export { splitSubjects, type Part, type SplitOptions } from './split.js';
export { checkMatrix, type Subject } from './subject.js';

// Pure: who imports one function need not bundle the source.
export default /* @__PURE__ */ definePlugin({
  name: '@heddle/connectome',
  version,
  register(container) {
    contribute(container, DATA, connectomeSource);
  },
});
