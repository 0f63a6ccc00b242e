/**
 * The conformance kit: laws that a plugin, and what it contributes, must keep. Needs vitest, which is an optional peer.
 */

export {
  backendChecks,
  conformBackend,
  conformOffer,
  graphOf,
  opSamples,
  primitiveSamples,
  type BackendLaws,
} from './backends.js';
export { conform, findingsOf, type Check } from './checks.js';
export { conformPlugin, contributedChecks, type Checked, type ConformOptions, type PartLaws } from './contributed.js';
export { effectsOf, leaksOf } from './effects.js';
export { cells, randomGraph, type RandomGraph, type RandomGraphOptions } from './fixtures.js';
export type { GoldenCase, GoldenFile, GoldenKind } from './golden.js';
export { checkGradient, type GradientGap, type GradientOptions } from './gradient.js';
export { hostileTexts, withHostile } from './hostile.js';
export { conformLayer, layerChecks, type LayerLaws, type LayerSample } from './layers.js';
export { conformMerge, mergeChecks, type MergeOptions, type MergeValues } from './merges.js';
export { conformOp, opChecks, ranKernel, type OpLaws, type OpSample } from './ops.js';
export { pluginChecks, type PackageJson, type PluginOptions } from './plugin.js';
export {
  conformGrader,
  conformMetric,
  conformReward,
  graderChecks,
  metricChecks,
  rewardChecks,
  type ScoreOptions,
  type TextSample,
} from './scores.js';
