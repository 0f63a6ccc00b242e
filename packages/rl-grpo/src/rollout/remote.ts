/** Strategies that ask an engine for whole stretches: of a session of one's own, or of a server. */

import { fail, isHeddleError, streamOf, uniforms } from '@heddle/core';
import { segmentsOf } from '../structure/segments.js';
import { sessionEngine, type Engine, type EngineCall } from './engine.js';
import { linearRollout } from './linear.js';
import type { Trajectory } from './parallel.js';
import type { PathSession } from './session.js';
import type { RolloutCall, RolloutStrategy, StrategyOptions } from './strategy.js';

export interface EngineStrategyOptions {
  /** Who answers. Default: the session that rollouts are called with. */
  readonly engine?: Engine;
}

export interface LinearStrategyOptions extends StrategyOptions, EngineStrategyOptions {
  /**
   * What training makes of an answer: one line, as an engine reads it anew after a block, or paths that do not see each
   * other, as they were sampled. Either way some tokens are scored otherwise than they were sampled: `correction` of the
   * loss makes up for it.
   */
  readonly structure: 'line' | 'paths';
}

/** One row: what it needs of a call, with seeds and a signal of its own, and what came of it. */
type Row = (
  prompt: readonly number[],
  ask: Engine,
  seed: () => number,
  call: RolloutCall,
) => Promise<Omit<Trajectory, 'promptLength' | 'version'> & { readonly reason: unknown }>;

/**
 * A row that fails is given as far as it came, as a fault; when all fail, so does the call.
 *
 * @throws what the first row failed with, when all did; what the call was aborted with
 */
const strategyOf = (name: string, engine: Engine | undefined, row: Row): RolloutStrategy => ({
  name,
  async rollout(call) {
    const { session, prompts, first, seed, temperature, version, signal } = call;
    const asked = engine ?? sessionEngine(session);
    const found = await Promise.all(
      prompts.map((prompt, i) => {
        const draw = uniforms(seed, streamOf(`rollout/${first + i}`));
        const next = (): number => Math.floor(draw() * 2 ** 31);
        const ask = (own: EngineCall) =>
          asked({ ...own, temperature, seed: own.seed ?? next(), ...(signal ? { signal } : {}) });
        return row(prompt, ask, next, call);
      }),
    );
    signal?.throwIfAborted();
    if (found.length > 0 && found.every(({ finish }) => finish === 'fault')) throw found[0]!.reason;
    return found.map(({ reason: _, ...own }, i) => ({ ...own, promptLength: prompts[i]!.length, version }));
  },
});

const reasonOf = (error: unknown): string =>
  isHeddleError(error) ? `${error.code}: ${error.message}` : error instanceof Error ? error.message : String(error);

/** Parallel-R1's rollout (`linearRollout`): paths are asked for apart, and the text so far is read anew at every join. */
export const linearStrategy = ({
  engine,
  structure,
  responseLength,
  tags,
  endOfText,
  ...options
}: LinearStrategyOptions): RolloutStrategy =>
  strategyOf(`linear, ${structure}`, engine, async (prompt, ask, seed) => {
    const { response, logp, sampled, forcedCloses, opens, fault } = await linearRollout(prompt, ask, {
      ...options,
      tags,
      endOfText,
      promptLength: prompt.length,
      responseLength,
      seed,
      onFault: 'keep',
    });
    const ids = [...prompt, ...response];
    const none = prompt.map(() => 0);
    return {
      ids,
      segments:
        structure === 'line' ? [{ start: 0, end: ids.length, parents: [] }] : segmentsOf(ids, tags, prompt.length),
      logp: [...none, ...logp],
      sampled: [...none, ...sampled],
      forcedCloses,
      opens: opens.map(place => prompt.length + place),
      ...endOf(fault, ids.at(-1) === endOfText),
    };
  });

/** One line of tokens, whatever tags it holds: `sequentialStrategy` over an engine. */
export const lineStrategy = ({
  engine,
  responseLength,
  endOfText,
}: Pick<StrategyOptions, 'responseLength' | 'endOfText'> & EngineStrategyOptions): RolloutStrategy =>
  strategyOf('line', engine, async (prompt, ask) => {
    const none = prompt.map(() => 0);
    let [ids, logp] = [[] as readonly number[], [] as readonly (number | null)[]];
    let fault: unknown;
    try {
      ({ ids, logp } = await ask({ ids: prompt, stop: [endOfText], maxTokens: responseLength, temperature: 1 }));
    } catch (error) {
      fault = error;
    }
    return {
      ids: [...prompt, ...ids],
      segments: [{ start: 0, end: prompt.length + ids.length, parents: [] }],
      logp: [...none, ...logp],
      sampled: [...none, ...ids.map(() => 1)],
      forcedCloses: 0,
      ...endOf(fault, ids.at(-1) === endOfText),
    };
  });

const endOf = (fault: unknown, ended: boolean) =>
  fault === undefined
    ? { finish: ended ? ('end-of-text' as const) : ('length' as const), reason: null }
    : { finish: 'fault' as const, fault: reasonOf(fault), reason: fault };

/** Stands for a session where a strategy asks a server: it says how many rows are answered at once, and has no paths. */
export const remoteSession = (slots: number): PathSession => {
  const none = (): never =>
    fail('E_STRATEGY', 'rollouts: expected a strategy that asks an engine, such as linearStrategy with one, received one that wants paths in a cache, which a server does not give. Take another strategy, or a session of your own.', {}); // prettier-ignore
  return { slots, open: none, fork: none, join: none, release: none, feed: none };
};
