/** Training runs as TensorBoard files. */

import { TRACKERS, contribute, definePlugin } from '@heddle/core';
import { tensorboardTracker } from './tracker.node.js';
import { version } from './version.js';

export { sessionStart, fileVersion, scalars, text, type LogEvent } from './event.js';
export { recordOf } from './record.js';
export { tensorboardTracker };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/tracker-tensorboard',
  version,
  register(container) {
    contribute(container, TRACKERS, tensorboardTracker);
  },
});
