/** One thread of the pool: batches of pairs in, verdicts out. */

import { parentPort, workerData } from 'node:worker_threads';
import { grade, type GradeOptions } from './grade.js';
import type { GradePair } from './grade-all.js';

parentPort?.on('message', (pairs: readonly GradePair[]) => {
  parentPort!.postMessage(pairs.map(({ gold, answer }) => grade(gold, answer, workerData as GradeOptions)));
});
