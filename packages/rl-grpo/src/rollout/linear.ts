/**
 * The rollout of Parallel-R1's code: every stretch is a call of an ordinary engine with all tokens so far as one line,
 * and joins are read anew. What it samples from differs a little from what training scores.
 */

import type { TagIds } from '../grammar/tags.js';
import { hiddenPairs, rolloutPositions, type HiddenPair, type Range } from '../structure/compat.js';
import { fail } from '@heddle/core';

export interface EngineCall {
  readonly ids: readonly number[];
  /** Tokens that end the answer; the one that did is its last. */
  readonly stop: readonly number[];
  readonly maxTokens: number;
  readonly temperature: number;
  /** Set where several answers to the same tokens have to differ. */
  readonly seed?: number;
}

/** What continues tokens: an engine of one's own, or a server. */
export type Engine = (call: EngineCall) => Promise<readonly number[]>;

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
}

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
  }: LinearOptions,
): Promise<LinearRollout> {
  if (prompt.length > promptLength)
    fail(
      'E_LENGTH',
      `linearRollout: expected a prompt of at most ${promptLength} tokens, received ${prompt.length}. Raise promptLength or leave the prompt out.`,
      { promptLength, received: prompt.length },
    );
  const limit = promptLength + responseLength;
  const response: number[] = [];
  const positions: number[] = prompt.map((_, i) => i);
  const spans: Range[][] = [];
  const ask = (ids: readonly number[], stop: number, own?: number): Promise<readonly number[]> =>
    engine({
      ids,
      stop: [stop, endOfText],
      maxTokens: limit - ids.length,
      temperature,
      ...(own === undefined ? {} : { seed: own }),
    });
  const full = (blocks: number): boolean => response.length >= responseLength || (maxBlocks > 0 && blocks >= maxBlocks);
  let blocks = 0;
  do {
    const context = [...prompt, ...response];
    const text = await ask(context, tags.parallel);
    response.push(...text);
    for (const _ of text) positions.push((positions.at(-1) ?? -1) + 1);
    if (full(blocks) || text.at(-1) !== tags.parallel) break;
    const before = [...context, ...text];
    const seeds = Array.from({ length: count }, seed);
    const paths = await Promise.all(
      seeds.map(async own => [
        tags.path,
        ...closedWith(
          tags.endPath,
          endOfText,
          (await ask([...before, tags.path], tags.endPath, own)).slice(0, maxPathLength),
        ),
      ]),
    );
    const block = [...paths.flat(), tags.endParallel, ...newline, tags.summary];
    if (before.length + 2 + block.length + 1 < limit)
      block.push(...closedWith(tags.endSummary, endOfText, await ask([...before, ...block], tags.endSummary)));
    let at = 0;
    const own = paths.map(({ length }): Range => ({ start: at, end: (at += length) }));
    spans.push(own.map(({ start, end }) => ({ start: before.length + start, end: before.length + end })));
    positions.push(...rolloutPositions(own, block.length, positions.at(-1)! + 1));
    response.push(...block);
    blocks++;
  } while (!full(blocks));
  const leftPad = promptLength - prompt.length;
  const kept = response.slice(0, responseLength);
  const used = prompt.length + kept.length;
  return {
    response: kept,
    responseMask: kept.map(() => 1),
    positions: [
      ...Array.from({ length: leftPad }, () => 0),
      ...positions.slice(0, used),
      ...Array.from({ length: responseLength - kept.length }, () => 0),
    ],
    hidden: spans.flatMap(own =>
      hiddenPairs(
        own.map(({ start, end }) => ({ start: start + leftPad, end: end + leftPad })),
        leftPad,
        limit,
      ),
    ),
    turns: blocks + 1,
  };
}

/** Ends an answer with a tag: in the place of the end of the text, or after what was cut. */
function closedWith(tag: number, endOfText: number, answer: readonly number[]): readonly number[] {
  const last = answer.at(-1);
  if (last === tag) return answer;
  return last === endOfText ? [...answer.slice(0, -1), tag] : [...answer, tag];
}
