/** Training: plans, events, operators. */

export type {
  Checkpoint,
  CheckpointMeta,
  FlowEvent,
  HeddleEvent,
  Metrics,
  RunFinished,
  StepFailed,
  StepFinished,
  TrainEvent,
} from './events.js';
export { loop } from './loop.js';
export {
  classification,
  crossEntropy,
  nextToken,
  sequenceToSequence,
  type Loss,
  type NextTokenOptions,
  type Objective,
} from './objective.js';
export { checkpointEvery, evaluateEvery, lossBelow, stopWhen, type CheckpointStore } from './operators.js';
export { parametersIn } from './parameters.js';
export type { TrainPlan } from './plan.js';
export { accumulateStep, applyStep, evaluationStep, stateTypes, trainStep, type StepPlan } from './step.js';
export { fromLoop, train } from './trainer.js';
