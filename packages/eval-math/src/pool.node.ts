/**
 * Grading on several threads of Node. The budget of a comparison already bounds its work; a thread that does not answer all
 * the same is ended and replaced, and what it was at counts as undecided.
 */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { GradePair } from './grade-all.js';
import type { GradeOptions, MathVerdict } from './grade.js';

export interface PoolOptions {
  /** Threads; as many as cores, at most 8. */
  readonly workers?: number;
  /** How pairs are graded. `deepEquality` is a function and cannot go to another thread. */
  readonly grade?: Omit<GradeOptions, 'deepEquality'>;
  /** Milliseconds that one batch may take before its thread is ended. */
  readonly patience?: number;
}

export interface GradePool {
  readonly workers: number;
  /** Verdicts in the order of the pairs. */
  grade(pairs: readonly GradePair[], signal?: AbortSignal): Promise<readonly MathVerdict[]>;
  /** Ends the threads; what is under way is rejected. */
  close(): Promise<void>;
}

interface Job {
  readonly pairs: readonly GradePair[];
  readonly resolve: (verdicts: readonly MathVerdict[]) => void;
  readonly reject: (error: Error) => void;
  readonly signal: AbortSignal | undefined;
}

/** Pairs sent to a thread at once. */
const batchSize = 64;

/** The compiled script; tests run from sources, beside which it does not stand. */
function scriptUrl(): URL {
  const beside = new URL('./pool-worker.node.js', import.meta.url);
  return existsSync(beside) ? beside : new URL('../dist/pool-worker.node.js', import.meta.url);
}

export function openPool({
  workers = Math.min(8, availableParallelism()),
  grade: options = {},
  patience = 30_000,
}: PoolOptions = {}): GradePool {
  const count = Math.max(1, Math.floor(workers));
  const queue: Job[] = [];
  const threads = new Set<Worker>();
  const idle: Worker[] = [];
  let closed = false;

  function start(): Worker {
    const worker = new Worker(scriptUrl(), { workerData: options });
    worker.unref();
    threads.add(worker);
    return worker;
  }

  function next(): void {
    while (queue.length > 0) {
      const job = queue[0]!;
      if (job.signal?.aborted) {
        queue.shift();
        job.reject(job.signal.reason as Error);
        continue;
      }
      const worker = idle.pop() ?? (threads.size < count ? start() : undefined);
      if (!worker) return;
      queue.shift();
      void run(worker, job);
    }
  }

  async function run(worker: Worker, job: Job): Promise<void> {
    worker.ref();
    try {
      job.resolve(await answerOf(worker, job.pairs));
      idle.push(worker);
    } catch (error) {
      threads.delete(worker);
      await worker.terminate();
      if (closed) job.reject(error as Error);
      else if (job.pairs.length === 1) job.resolve([lost(job.pairs[0]!)]);
      else
        void Promise.all(job.pairs.map(pair => submit([pair], job.signal))).then(
          all => job.resolve(all.flat()),
          job.reject,
        );
    }
    worker.unref();
    next();
  }

  const answerOf = (worker: Worker, pairs: readonly GradePair[]): Promise<readonly MathVerdict[]> =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error('the thread does not answer'))), patience);
      const settle = (then: () => void): void => {
        clearTimeout(timer);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        then();
      };
      const onMessage = (verdicts: readonly MathVerdict[]): void => settle(() => resolve(verdicts));
      const onError = (error: Error): void => settle(() => reject(error));
      const onExit = (): void => settle(() => reject(new Error('the thread ended')));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage(pairs);
    });

  function submit(pairs: readonly GradePair[], signal: AbortSignal | undefined): Promise<readonly MathVerdict[]> {
    return new Promise((resolve, reject) => {
      if (closed) return reject(new Error('the pool is closed. Open another one.'));
      queue.push({ pairs, resolve, reject, signal });
      next();
    });
  }

  return {
    workers: count,
    grade: async (pairs, signal) => {
      const batches: Promise<readonly MathVerdict[]>[] = [];
      for (let at = 0; at < pairs.length; at += batchSize)
        batches.push(submit(pairs.slice(at, at + batchSize), signal));
      return (await Promise.all(batches)).flat();
    },
    close: async () => {
      closed = true;
      for (const job of queue.splice(0)) job.reject(new Error('the pool was closed.'));
      await Promise.all([...threads].map(worker => worker.terminate()));
      threads.clear();
      idle.length = 0;
    },
  };
}

const lost = ({ gold, answer }: GradePair): MathVerdict => ({
  verdict: 'undecided',
  stage: 'compare',
  rules: [],
  gold: { text: gold, how: null, node: null },
  answer: { text: answer, how: null, node: null },
  canonical: null,
  reason: 'Undecided: the thread that compared the two was ended because it did not answer.',
});
