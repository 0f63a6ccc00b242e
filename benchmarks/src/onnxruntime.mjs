/** Settings of onnxruntime-node for the baselines: the same as Heddle's own. */

export const sessionOptions = threads => ({
  intraOpNumThreads: threads,
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: 'all',
});
