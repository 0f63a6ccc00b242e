/** Merging checkpoints on this machine's disks. */

export { openCheckpoint, type Checkpoint, type Places } from './checkpoint/open.node.js';
export { loadLora, saveLora, type SavedLora } from './lora/peft.node.js';
export { diffModels, type TensorDifference } from './report/diff.node.js';
export { heatMap } from './report/heat-map.js';
export { statisticsOf, type TensorStatistics } from './report/statistics.node.js';
export type { MergeEngine } from './run/engine.node.js';
export { extractAdapter, type ExtractOptions, type ExtractReport } from './run/extract.node.js';
export { mergeModels, type MergeOptions, type MergeProgress, type MergeReport } from './run/merge.node.js';
export { prepare, type PrepareOptions, type Prepared, type Step } from './run/prepare.node.js';
