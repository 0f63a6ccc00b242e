/** Merging checkpoints: methods, recipes, language groups. What touches disks is in `@heddle/mmt-merge/node`. */

import { COMMANDS, contribute, definePlugin, MERGES, OPS } from '@heddle/core';
import { commands } from './commands.js';
import { methods } from './methods/index.js';
import { loraUpdateOp } from './lora/ops.js';
import { signConsensusOp } from './parts/consensus.js';
import { magnitudeMaskOp } from './parts/select.js';
import { slerpOp } from './parts/spherical.js';
import { weightedSumOp } from './parts/sums.js';
import { version } from './version.js';

export { methods } from './methods/index.js';

export default /* @__PURE__ */ definePlugin({
  name: '@heddle/mmt-merge',
  version,
  register(container) {
    contribute(container, MERGES, ...methods);
    contribute(
      container,
      OPS,
      weightedSumOp,
      signConsensusOp,
      magnitudeMaskOp,
      slerpOp as never,
      loraUpdateOp as never,
    );
    contribute(container, COMMANDS, ...commands);
  },
});
export {
  directions,
  floresCodes,
  groupOf,
  languageGroups,
  type Direction,
  type ForeignLanguage,
  type Language,
  type LanguageGroup,
} from './languages.js';
export {
  adaptedLayers,
  countLora,
  foldLora,
  isLoraPath,
  linearShapes,
  loraConfig,
  loraOf,
  loraTypes,
  ofRows,
  stackLora,
  withLora,
  type LoraConfig,
  type LoraOptions,
} from './lora/lora.js';
export { loraUpdateOp, sumOfFactors } from './lora/ops.js';
export { deltaOf, mergeLora, type LoraMergeOptions, type MergeableLora, type MergedLora } from './lora/merge.js';
export { groupCosines, taskVectors, type GroupCosines, type TaskVectors } from './lora/task-vectors.js';
export {
  translationChain,
  type ChainBench,
  type ChainMerge,
  type ChainOptions,
  type ChainResult,
  type GradientsResult,
  type DirectionScore,
  type StrategyResult,
  type VectorsResult,
} from './translation/chain.js';
export {
  conflictsOf,
  conflictCurve,
  pairedDifference,
  type Conflicts,
  type Difference,
  type WaySummary,
} from './translation/conflict.js';
export { gradientCosines, type DirectionGradientsOptions } from './translation/gradients.js';
export { languageNames, promptRow, translationPrompt, type PromptRow } from './translation/prompt.js';
export {
  checkGroups,
  directionOf,
  fewName,
  moduleFor,
  modulesOf,
  routingOf,
  strategies,
  type DirectionName,
  type Groups,
  type Routing,
  type StrategyName,
  type TranslationModule,
} from './translation/strategies.js';
export { routerOf, type Router } from './translation/router.js';
export { searchValues, type SearchOptions, type SearchResult, type Trial, type Values } from './search/search.js';
export { checkRecipe } from './recipe/check.js';
export { readRecipes, type Sourced } from './recipe/read.js';
export type * from './recipe/recipe.js';
export { referenceOf, titleOf, type Reference } from './recipe/reference.js';
export { evaluateSetting, type Condition, type Scalar, type Setting } from './recipe/setting.js';
export { mergeArrays, mergeByGraph, withDefaults, type TensorMerge } from './apply/tensors.js';
