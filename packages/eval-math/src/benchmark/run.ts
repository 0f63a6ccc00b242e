/** k completions for each problem, several at once, out of the cache where they are there already. */

import { hashJson } from '@heddle/core/files';
import type { Generated, Generator, SamplingParameters } from './generate.js';
import type { Problem } from './problems.js';
import { messagesOf, type PromptTemplate } from './prompts.js';

/** One completion of one problem. */
export interface Completion extends Generated {
  readonly id: string;
  readonly sample: number;
  /** Whether it came out of the cache. */
  readonly cached: boolean;
}

/** Completions by what they depend on: nothing else decides whether one is made again. */
export interface Cache {
  get(key: string): Promise<Generated | null>;
  set(key: string, value: Generated): Promise<void>;
}

export interface RunOptions {
  readonly problems: readonly Problem[];
  readonly prompt: PromptTemplate;
  readonly generator: Generator;
  readonly parameters: SamplingParameters;
  /** Samples for each problem. */
  readonly samples: number;
  /** Requests at once. */
  readonly concurrency?: number;
  readonly cache?: Cache;
  readonly signal?: AbortSignal;
  /** Called after each completion. */
  readonly progress?: (done: number, all: number) => void;
}

/** What a completion is kept under: the model, the messages, the parameters and its number. Not the machine, not the order. */
export const cacheKey = (
  generator: string,
  messages: unknown,
  parameters: SamplingParameters,
  sample: number,
): string => hashJson({ generator, messages, parameters: { ...parameters }, sample } as never);

/**
 * @returns completions in the order of the problems, whatever order they came in
 * @throws what the generator throws, after those under way have ended; everything that was made is in the cache by then
 */
export async function runCompletions({
  problems,
  prompt,
  generator,
  parameters,
  samples,
  concurrency = 8,
  cache,
  signal = new AbortController().signal,
  progress,
}: RunOptions): Promise<readonly Completion[]> {
  const jobs = problems.flatMap(problem => Array.from({ length: samples }, (_, sample) => ({ problem, sample })));
  const results: Completion[] = new Array<Completion>(jobs.length);
  // One failure ends the others too: a server that is gone would fail each of a thousand requests slowly.
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  let next = 0;
  let done = 0;
  let failure: unknown = null;
  async function work(): Promise<void> {
    while (next < jobs.length && failure === null && !signal.aborted) {
      const at = next++;
      const { problem, sample } = jobs[at]!;
      try {
        const messages = messagesOf(prompt, problem);
        const key = cacheKey(generator.name, messages, parameters, sample);
        const known = cache ? await cache.get(key) : null;
        const made = known ?? (await generator.generate({ messages, parameters, sample, signal: either }));
        if (known === null) await cache?.set(key, made);
        results[at] = { ...made, id: problem.id, sample, cached: known !== null };
        progress?.(++done, jobs.length);
      } catch (error) {
        failure ??= error;
        stop.abort(error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.max(1, Math.min(concurrency, jobs.length)) }, work));
  if (failure !== null) throw failure;
  signal.throwIfAborted();
  return results;
}
