/** Whatever continues a line of tokens: a session of one's own, or a server. */

import { streamOf, uniforms } from '@heddle/core';
import { drawToken } from './draw.js';
import type { PathSession, SessionPath } from './session.js';

export interface EngineCall {
  readonly ids: readonly number[];
  /** Tokens that end the answer; the one that did is its last. */
  readonly stop: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  /** Set where several answers to the same tokens have to differ. */
  readonly seed?: number;
  readonly signal?: AbortSignal;
}

export interface Continuation {
  readonly ids: readonly number[];
  /** One for each token, of what it was sampled from; null where nobody knows. */
  readonly logp: readonly (number | null)[];
}

/** `completions` of `@heddle/openai-client` are such. */
export type Engine = (call: EngineCall) => Promise<Continuation>;

interface Job<P extends SessionPath> {
  readonly call: EngineCall;
  readonly ids: number[];
  readonly logp: number[];
  readonly draw: () => number;
  readonly resolve: (found: Continuation) => void;
  readonly reject: (reason: unknown) => void;
  path: P | null;
  feed: readonly number[];
}

/**
 * Calls answered by a session, together: those that are under way are fed in one run, and a slot that one leaves is the next
 * one's. What a call samples depends on its seed alone.
 */
export function sessionEngine<P extends SessionPath>(session: PathSession<P>): Engine {
  const waiting: Job<P>[] = [];
  const slots = Array.from({ length: session.slots }, (_, i) => session.slots - 1 - i);
  let live: Job<P>[] = [];
  let running = false;
  let unseeded = 0;

  const leave = (job: Job<P>): void => {
    slots.push(job.path!.slot);
    session.release(job.path!);
  };

  async function run(): Promise<void> {
    running = true;
    // Calls that are made together begin together.
    await Promise.resolve();
    try {
      for (;;) {
        for (const job of live.filter(({ call }) => call.signal?.aborted)) {
          live.splice(live.indexOf(job), 1);
          leave(job);
          job.reject(job.call.signal!.reason);
        }
        while (waiting.length > 0 && slots.length > 0) {
          const [job] = waiting as [Job<P>];
          const aborted = job.call.signal?.aborted;
          // It waits until it has its path: a session that fails here fails it too.
          if (!aborted) job.path = session.open(slots.pop()!);
          waiting.shift();
          if (aborted) job.reject(job.call.signal!.reason);
          else live.push(job);
        }
        if (live.length === 0) return;
        const outlooks = await session.feed(live.map(({ path, feed }) => ({ path: path!, ids: feed })));
        live = live.filter((job, i) => {
          const { call, ids, logp, draw } = job;
          const found = drawToken(outlooks[i]!.logits, call.temperature, draw());
          ids.push(found.id);
          logp.push(found.logp);
          job.feed = [found.id];
          if (ids.length < call.maxTokens && !call.stop.includes(found.id)) return true;
          leave(job);
          job.resolve({ ids, logp });
          return false;
        });
      }
    } catch (error) {
      for (const job of live) leave(job);
      for (const { reject } of [...live.splice(0), ...waiting.splice(0)]) reject(error);
    } finally {
      running = false;
    }
  }

  return call =>
    new Promise((resolve, reject) => {
      if (call.maxTokens <= 0) return resolve({ ids: [], logp: [] });
      const draw = uniforms(call.seed ?? unseeded++, streamOf('engine'));
      waiting.push({ call, ids: [], logp: [], draw, resolve, reject, path: null, feed: call.ids });
      if (!running) void run();
    });
}
