/** What needs Node: threads and files. */

export { openPool, type GradePool, type PoolOptions } from './pool.node.js';
export {
  benchmarkFile,
  folderCache,
  parquetRows,
  readCompletions,
  readProblems,
  readScores,
  writeEvaluation,
} from './benchmark/files.node.js';
export type { CompletionFile, StoredScores } from './benchmark/files.node.js';
