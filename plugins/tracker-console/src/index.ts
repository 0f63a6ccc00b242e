/** Progress of training and of pipelines on the console. */

import { TRACKERS, contribute, definePlugin } from '@heddle/core';
import { consoleTracker } from './tracker.js';
import { version } from './version.js';

export { count, duration, figure, percent } from './format.js';
export { eventLine, logLine, plain, progressLine, type Paint } from './lines.js';
export { advance, noProgress, timeLeft, type Progress } from './progress.js';
export { consoleTracker, type ConsoleOptions, type Terminal } from './tracker.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/tracker-console',
  version,
  register(container) {
    contribute(container, TRACKERS, consoleTracker);
  },
});
