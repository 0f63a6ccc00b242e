/** Reinforcement learning of language models, and thinking in parallel paths (Parallel-R1). */

import { OPS, REWARDS, contribute, definePlugin } from '@heddle/core';
import { kernelRewards } from './reward/kernel.js';
import { tokenScoresGradientOp, tokenScoresOp } from './ops/token-scores.js';
import { version } from './version.js';

export { initialiseTags, tagIds } from './grammar/ids.js';
export { checkFormat, isWellFormed, type FormatProblem } from './grammar/format.js';
export {
  parseThinking,
  type BlockPart,
  type Part,
  type PathPart,
  type Span,
  type SummaryPart,
  type TextPart,
} from './grammar/parse.js';
export {
  countBlocks,
  tagNames,
  tagsIn,
  tagTexts,
  withoutTags,
  type TagIds,
  type TagName,
  type TagText,
} from './grammar/tags.js';
export {
  advantagesOf,
  generalised,
  groupCentred,
  groupNormalised,
  groupsOf,
  informative,
  leaveOneOut,
  lengthWeighted,
  reinforcePlusPlus,
  reinforcePlusPlusBaseline,
  returnsOf,
  whiten,
  type GroupAdvantage,
  type Rows,
} from './loss/advantage.js';
export { aggregate, aggregations, maskedMean, type Aggregated, type Aggregation } from './loss/aggregate.js';
export { klEstimators, type KlEstimator, type KlName } from './loss/kl.js';
export { tokenScoresGradientOp, tokenScoresOp, type TemperatureAttrs } from './ops/token-scores.js';
export { tokenLogProbabilities } from './loss/log-probabilities.js';
export { policyObjective, type ObjectiveInputs } from './loss/objective.js';
export {
  lossConfig,
  lossPresets,
  type AdvantageName,
  type LossConfig,
  type LossOptions,
  type LossPresetName,
  type PolicyLossName,
} from './loss/options.js';
export {
  clippedSequences,
  clippedTokens,
  clippedWeights,
  geometricMean,
  policyGradient,
  softGate,
  type ClipOptions,
  type PolicyInputs,
  type PolicyLoss,
} from './loss/policy.js';
export {
  generateProblem,
  hardestLevel,
  parallelTrace,
  sequentialTrace,
  type GeneratedProblem,
  type Problem,
} from './problems/generate.js';
export { problemsOf, readProblems, type ReadProblems } from './problems/read.js';
export { answerRules, noAnswer, normaliseAnswer, type AnswerRule, type AnswerRuleName } from './reward/answer.js';
export { efficiency, selfBleu, type Efficiency } from './reward/diversity.js';
export { kernelReward } from './reward/kernel.js';
export {
  combineRewards,
  rewards,
  type Judge,
  type OutcomeOptions,
  type RewardFunction,
  type RewardInput,
  type RewardName,
  type RewardTerm,
} from './reward/rewards.js';
export { scoreAll, type RewardFault, type Scored, type ScoreOptions } from './reward/score.js';
export { cosineScaled, hasThinkSection, repetition, softOverlong, type CosineRange } from './reward/shaping.js';
export { sessionEngine, type Continuation, type Engine, type EngineCall } from './rollout/engine.js';
export { linearRollout, type LinearOptions, type LinearRollout } from './rollout/linear.js';
export {
  lineStrategy,
  linearStrategy,
  remoteSession,
  type EngineStrategyOptions,
  type LinearStrategyOptions,
} from './rollout/remote.js';
export { parallelRollouts, type ParallelOptions, type Trajectory } from './rollout/parallel.js';
export {
  bestOfN,
  checkTrajectories,
  parallelStrategy,
  sequentialStrategy,
  type RolloutCall,
  type RolloutStrategy,
  type StrategyOptions,
} from './rollout/strategy.js';
export { type PathSession, type SessionFeed, type SessionOutlook, type SessionPath } from './rollout/session.js';
export {
  actorMask,
  hiddenPairs,
  rolloutPositions,
  sftItem,
  sftMask,
  sftPositions,
  type HiddenPair,
  type Range,
  type SftItem,
} from './structure/compat.js';
export { scanBlocks, type BlockSpan, type PathSpan } from './structure/scan.js';
export { checkSegments, maskOf, positionsOf, segmentsOf, type Segment } from './structure/segments.js';
export { predecessorsOf } from './structure/predecessors.js';
export {
  curriculumOf,
  type Curriculum,
  type CurriculumOptions,
  type GatherOptions,
  type LearnOptions,
  type PolicyOptions,
  type StageConfig,
  type Style,
} from './curriculum/curriculum.js';
export { curriculumFlow, curriculumStart } from './curriculum/flow.js';
export {
  askedTeacher,
  gatherTraces,
  teacherPrompt,
  waysTeacher,
  type GatherCall,
  type Journal,
  type Teacher,
  type Trace,
  type Yield,
} from './curriculum/gather.js';
export { intervalOf, measure, type Measured, type MeasureCall, type Sample } from './curriculum/measure.js';
export { generatedPool, levelsOf, listedPool, type PoolProblem, type ProblemPool } from './curriculum/pool.js';
export { curriculumPresets, type CurriculumPresetName } from './curriculum/presets.js';
export type { CurriculumState, StageRecord } from './curriculum/stages.js';
export { readWeights } from './curriculum/stored.js';
export {
  promptOf,
  wordsOf,
  type TokenizerLike,
  type Weights,
  type Words,
  type Workbench,
} from './curriculum/workbench.js';
export { rolloutMetrics } from './train/metrics.js';
export { policyTraining, policyTypes, structuredText } from './train/objective.js';
export {
  policyData,
  type PolicyData,
  type PolicyDataOptions,
  type RolloutReport,
  type Task,
} from './train/policy-data.js';
export { layOutRows, rowTypes, scoreRows, type RowsShape, type RowTensors, type StructuredRow } from './train/rows.js';
export { traceData, traceRow, type TraceDataOptions } from './train/trace-data.js';
export { openScorer, type Scorer, type ScorerOptions } from './train/scorer.js';
export { version };

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/rl-grpo',
  version,
  register(container) {
    contribute(container, REWARDS, ...kernelRewards);
    contribute(container, OPS, tokenScoresOp, tokenScoresGradientOp);
  },
});
