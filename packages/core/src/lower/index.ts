/** Passes: functions from graph to graph. */

export { check } from './check.js';
export { expandOps } from './expand-ops.js';
export { fold, numberOf } from './fold.js';
export { drawHoisted, hoistedType, hoistRandom, type Hoisted, type HoistedRandom } from './hoist-random.js';
