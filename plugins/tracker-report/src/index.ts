/** Training runs as a page. */

import { COMMANDS, TRACKERS, contribute, definePlugin } from '@heddle/core';
import { commands } from './commands.js';
import { reportTracker } from './tracker.node.js';
import { version } from './version.js';

export { readRun } from './log.node.js';
export type { ReportCell, ReportHeatMap } from './heat-map.js';
export {
  reportPage,
  type AnswerPart,
  type ReportAnswer,
  type ReportAnswers,
  type ReportChart,
  type ReportContents,
  type ReportTable,
} from './page.js';
export { Recorder, curvesOf, type Curve, type Point, type RunRecord } from './record.js';
export { reportTracker };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/tracker-report',
  version,
  register(container) {
    contribute(container, TRACKERS, reportTracker);
    contribute(container, COMMANDS, ...commands);
  },
});
