/** Pipelines: typed stages, flows, executors, artifacts. */

export {
  ARTIFACTS,
  artifactsIn,
  memoryArtifacts,
  parseUri,
  type Artifact,
  type Artifacts,
  type Content,
} from './artifacts.js';
export { inProcess, type Executor, type FlowPlan, type Job, type PlannedStage, type Store } from './executor.js';
export { partOf, pipeline, stagesOf, type AnyFlow, type EmptyFlow, type Flow, type Piece, type Step } from './flow.js';
export { stageKey } from './key.js';
export { planFlow, printPlan } from './plan.js';
export { memoryResults, RESULTS, type StageResult, type StageResults } from './results.js';
export { runStage, type Site } from './run.js';
export { stageWith } from './settings.js';
export { trainWithin, type StageTrained, type StageTraining } from './training.js';
export { defineStage, schemaOf, type AnyStage, type Stage, type StageContext } from './stage.js';
