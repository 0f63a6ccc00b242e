/**
 * The rollout of Parallel-R1's code: every stretch is a call of an ordinary engine with all tokens so far as one line,
 * and joins are read anew. What it samples from differs a little from what training scores.
 */

import { fail } from '@heddle/core';
import type { TagIds } from '../grammar/tags.js';
import { hiddenPairs, rolloutPositions, type HiddenPair, type Range } from '../structure/compat.js';
import type { Continuation, Engine } from './engine.js';

export interface LinearOptions {
  readonly tags: TagIds;
  readonly endOfText: number;
  /** Between `</Parallel>` and `<Summary>`. */
  readonly newline: readonly number[];
  readonly promptLength: number;
  readonly responseLength: number;
  readonly paths?: number;
  /** Blocks after which it stops, even without an answer; 0 for no limit. */
  readonly maxBlocks?: number;
  readonly maxPathLength?: number;
  readonly temperature?: number;
  /** A seed for the call of each path: whole, from 0, below 2^31. */
  readonly seed: () => number;
  /** Where the engine fails: fail too, or give what was written before. Default `fail`. */
  readonly onFault?: 'fail' | 'keep';
}

export interface LinearRollout {
  readonly response: readonly number[];
  /** 1 for each token, forced ones too. */
  readonly responseMask: readonly number[];
  /** Of the prompt padded on the left and the response padded on the right, as `rolloutPositions` counts. */
  readonly positions: readonly number[];
  readonly hidden: readonly HiddenPair[];
  /** Blocks finished, and one. */
  readonly turns: number;
  /** One for each token of the response: as the engine said, 0 for what it did not choose. */
  readonly logp: readonly (number | null)[];
  /** 1 for tokens of the response that the engine chose, 0 for forced ones. */
  readonly sampled: readonly number[];
  /** Paths and summaries that did not close by themselves. */
  readonly forcedCloses: number;
  /** Places of the response at which blocks opened and were filled. */
  readonly opens: readonly number[];
  /** Why it broke off, where it did. */
  readonly fault: unknown;
}

/** Tokens as they are written. */
interface Stretch {
  readonly ids: readonly number[];
  readonly logp: readonly (number | null)[];
  readonly sampled: readonly number[];
}

const chosen = ({ ids, logp }: Continuation): Stretch => ({ ids, logp, sampled: ids.map(() => 1) });
const forced = (...ids: readonly number[]): Stretch => ({ ids, logp: ids.map(() => 0), sampled: ids.map(() => 0) });
const joined = (...parts: readonly Stretch[]): Stretch => ({
  ids: parts.flatMap(({ ids }) => ids),
  logp: parts.flatMap(({ logp }) => logp),
  sampled: parts.flatMap(({ sampled }) => sampled),
});
const first = ({ ids, logp, sampled }: Stretch, count: number): Stretch => ({
  ids: ids.slice(0, count),
  logp: logp.slice(0, count),
  sampled: sampled.slice(0, count),
});

/**
 * @throws E_LENGTH when the prompt is longer than `promptLength`
 * @throws E_STRUCTURE for fewer than two paths
 */
export async function linearRollout(
  prompt: readonly number[],
  engine: Engine,
  {
    tags,
    endOfText,
    newline,
    promptLength,
    responseLength,
    paths: count = 2,
    maxBlocks = 4,
    maxPathLength = 4096,
    temperature = 1,
    seed,
    onFault = 'fail',
  }: LinearOptions,
): Promise<LinearRollout> {
  if (prompt.length > promptLength)
    fail(
      'E_LENGTH',
      `linearRollout: expected a prompt of at most ${promptLength} tokens, received ${prompt.length}. Raise promptLength or leave the prompt out.`,
      { promptLength, received: prompt.length },
    );
  const limit = promptLength + responseLength;
  let written = forced();
  const positions: number[] = prompt.map((_, i) => i);
  const spans: Range[][] = [];
  const opens: number[] = [];
  let forcedCloses = 0;
  const ask = async (ids: readonly number[], stop: number, own?: number): Promise<Stretch> =>
    chosen(
      await engine({
        ids,
        stop: [stop, endOfText],
        maxTokens: limit - ids.length,
        temperature,
        ...(own === undefined ? {} : { seed: own }),
      }),
    );
  /** Ends an answer with a tag: in the place of the end of the text, or after what was cut. */
  const closedWith = (tag: number, answer: Stretch): Stretch => {
    const last = answer.ids.at(-1);
    if (last === tag) return answer;
    forcedCloses++;
    return joined(last === endOfText ? first(answer, answer.ids.length - 1) : answer, forced(tag));
  };
  const full = (blocks: number): boolean =>
    written.ids.length >= responseLength || (maxBlocks > 0 && blocks >= maxBlocks);
  let blocks = 0;
  let fault: unknown;
  try {
    do {
      const context = [...prompt, ...written.ids];
      const text = await ask(context, tags.parallel);
      written = joined(written, text);
      for (const _ of text.ids) positions.push((positions.at(-1) ?? -1) + 1);
      if (full(blocks) || text.ids.at(-1) !== tags.parallel) break;
      const before = [...context, ...text.ids];
      const seeds = Array.from({ length: count }, seed);
      const paths = await Promise.all(
        seeds.map(async own =>
          joined(
            forced(tags.path),
            closedWith(tags.endPath, first(await ask([...before, tags.path], tags.endPath, own), maxPathLength)),
          ),
        ),
      );
      let block = joined(...paths, forced(tags.endParallel, ...newline, tags.summary));
      if (before.length + 2 + block.ids.length + 1 < limit)
        block = joined(block, closedWith(tags.endSummary, await ask([...before, ...block.ids], tags.endSummary)));
      let at = 0;
      const own = paths.map(({ ids }): Range => ({ start: at, end: (at += ids.length) }));
      spans.push(own.map(({ start, end }) => ({ start: before.length + start, end: before.length + end })));
      positions.push(...rolloutPositions(own, block.ids.length, positions.at(-1)! + 1));
      opens.push(written.ids.length - 1);
      written = joined(written, block);
      blocks++;
    } while (!full(blocks));
  } catch (error) {
    if (onFault === 'fail') throw error;
    fault = error;
  }
  const leftPad = promptLength - prompt.length;
  const kept = first(written, responseLength);
  const used = prompt.length + kept.ids.length;
  return {
    response: kept.ids,
    responseMask: kept.ids.map(() => 1),
    positions: [
      ...Array.from({ length: leftPad }, () => 0),
      ...positions.slice(0, used),
      ...Array.from({ length: responseLength - kept.ids.length }, () => 0),
    ],
    hidden: spans.flatMap(own =>
      hiddenPairs(
        own.map(({ start, end }) => ({ start: start + leftPad, end: end + leftPad })),
        leftPad,
        limit,
      ),
    ),
    turns: blocks + 1,
    logp: kept.logp,
    sampled: kept.sampled,
    forcedCloses,
    opens: opens.filter(place => place < kept.ids.length),
    fault,
  };
}
