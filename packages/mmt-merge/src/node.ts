/** Merging checkpoints on this machine's disks. */

export { openCheckpoint, type Checkpoint, type Places } from './checkpoint/open.node.js';
export { mergeModels, type MergeOptions, type MergeProgress, type MergeReport } from './run/merge.node.js';
export { prepare, type PrepareOptions, type Prepared, type Step } from './run/prepare.node.js';
