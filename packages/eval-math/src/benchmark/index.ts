/** Benchmarks: problems, prompts, what generates, scores with intervals, a report. Without files; see `@heddle/eval-math/node`. */

export { evaluateCompletions, scoresOf, signatureOf } from './evaluate.js';
export type {
  Estimate,
  EvaluatedProblem,
  EvaluateOptions,
  Evaluation,
  JudgedCompletion,
  RawCompletion,
  Scores,
  SignatureParts,
} from './evaluate.js';
export { defaultParameters, fromFunction } from './generate.js';
export type { Generated, GenerationRequest, Generator, SamplingParameters } from './generate.js';
export {
  bootstrapAt,
  majorityAt,
  majorityOf,
  meanAt,
  parallelRatio,
  passAt,
  passOf,
  passWithReplacement,
  sizesUpTo,
} from './metrics.js';
export type { Bootstrap, Judged, Samples } from './metrics.js';
export { benchmarks, problemOf, type Benchmark, type Problem } from './problems.js';
export { messagesOf, prompts, type Message, type PromptTemplate } from './prompts.js';
export { reportHtml } from './report.js';
export { cacheKey, runCompletions, type Cache, type Completion, type RunOptions } from './run.js';
export { fromServer, type ServerOptions } from './server.js';
export { interval, pairedTest, type Interval, type PairedTest, type ResamplingOptions } from './statistics.js';
