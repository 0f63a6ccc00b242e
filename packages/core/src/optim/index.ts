/** Optimizers, clipping and schedules. */

export { adafactor, type AdafactorOptions } from './adafactor.js';
export { adam, adamW, type AdamOptions } from './adam.js';
export { clipByNorm, globalNorm } from './clip.js';
export {
  matricesOnly,
  type Decays,
  type Optimizer,
  type OptimizerFactory,
  type Slot,
  type Update,
} from './optimizer.js';
export * as schedule from './schedule.js';
export type { Schedule } from './schedule.js';
export { sgd, type SgdOptions } from './sgd.js';
