/** Choosing the next token from logits, on the host, in double precision. */

import { fail, philox } from '@heddle/core';
import { exponential } from './exponential.js';

export interface SamplingOptions {
  /** Divides the logits; 0 always takes the likeliest token. Default 1. */
  readonly temperature?: number;
  /** Only the k likeliest tokens. Default: all. */
  readonly topK?: number;
  /** Only the likeliest tokens that together hold this share, after `topK`. Default 1: all. */
  readonly topP?: number;
}

export type Sampling = Required<SamplingOptions>;

/** @throws E_CONFIG naming the option */
export function sampling({ temperature = 1, topK = Infinity, topP = 1 }: SamplingOptions): Sampling {
  const refuse = (name: string, expected: string, received: unknown): never =>
    fail('E_CONFIG', `generate: ${name}: expected ${expected}, received ${String(received)}.`, { name, received });
  if (!(temperature >= 0 && temperature < Infinity)) refuse('temperature', 'a number of at least 0', temperature);
  if (!(topK >= 1 && (topK === Infinity || Number.isInteger(topK))))
    refuse('topK', 'a whole number of at least 1', topK);
  if (!(topP > 0 && topP <= 1)) refuse('topP', 'a share above 0, up to 1', topP);
  return { temperature, topK, topP };
}

/**
 * A uniform number in [0, 1) that depends on nothing but these three: never on other rows, nor on what was drawn before.
 *
 * @param seed of the call
 * @param row the row's own seed
 * @param position of the token in its text
 */
export function uniformAt(seed: number, row: number, position: number): number {
  const words = new Uint32Array(4);
  const high = (n: number): number => Math.floor(n / 2 ** 32) >>> 0;
  philox(position >>> 0, high(row), row >>> 0, 2, seed >>> 0, high(seed), words);
  return ((words[0]! >>> 5) * 2 ** 26 + (words[1]! >>> 6)) / 2 ** 53;
}

/**
 * Chooses a token.
 *
 * @param logits f32[V]
 * @param peak the largest of them
 * @param uniform a number in [0, 1)
 */
export function chooseToken(
  logits: Float32Array,
  peak: number,
  { temperature, topK, topP }: Sampling,
  uniform: number,
): number {
  if (temperature === 0 || topK === 1) return logits.indexOf(peak);
  const V = logits.length;
  if (topK >= V && topP === 1) return walk(weigh(logits, null, peak, temperature), uniform);
  const most = likeliest(logits, peak, temperature, topK, topP);
  return most[walk(weigh(logits, most, peak, temperature), uniform)]!;
}

/** exp((logit - peak) / temperature) of all tokens, or of the listed ones in their order. */
function weigh(
  logits: Float32Array,
  listed: readonly number[] | null,
  peak: number,
  temperature: number,
): Float64Array {
  const count = listed?.length ?? logits.length;
  const weights = new Float64Array(count);
  for (let i = 0; i < count; i++) weights[i] = exponential((logits[listed ? listed[i]! : i]! - peak) / temperature);
  return weights;
}

/** The index at which the running sum passes a share of the whole. */
function walk(weights: Float64Array, uniform: number): number {
  const goal = uniform * sum(weights);
  let total = 0;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    total += weights[i]!;
    if (total > goal) return i;
    last = i;
  }
  return last; // the sums round differently from the goal
}

/** The tokens that `topK` and then `topP` leave, likeliest first; equals go by their ids. */
function likeliest(
  logits: Float32Array,
  peak: number,
  temperature: number,
  topK: number,
  topP: number,
): readonly number[] {
  if (topK < logits.length) {
    const first = strongest(logits, topK);
    if (topP === 1) return first;
    // With topK the share is one of what it leaves, otherwise of everything.
    const weights = weigh(logits, first, peak, temperature);
    return first.slice(0, reach(weights, topP * sum(weights)));
  }
  const all = topP === 1 ? Infinity : topP * sum(weigh(logits, null, peak, temperature));
  // Ever further below the peak until that is enough: rarely more is sorted than returned.
  const enough = (found: readonly number[]): boolean =>
    found.length === logits.length || sum(weigh(logits, found, peak, temperature)) >= all;
  let found = within(logits, peak - 4 * temperature);
  for (let depth = 16 * temperature; !enough(found); depth *= 4)
    found = within(logits, depth > 1e5 * temperature ? -Infinity : peak - depth);
  found.sort((x, y) => logits[y]! - logits[x]! || x - y);
  return topP === 1 ? found : found.slice(0, reach(weigh(logits, found, peak, temperature), all));
}

/** The `count` largest, largest first; equals go by their ids. One pass, for few of many. */
export function strongest(logits: Float32Array, count: number): readonly number[] {
  const best: number[] = [];
  for (let id = 0; id < logits.length; id++) {
    const own = logits[id]!;
    if (best.length === count && own <= logits[best[count - 1]!]!) continue;
    let at = best.length < count ? best.push(id) - 1 : count - 1;
    for (; at > 0 && logits[best[at - 1]!]! < own; at--) best[at] = best[at - 1]!;
    best[at] = id;
  }
  return best;
}

/** Tokens whose logit is at least this, in the order of ids. */
function within(logits: Float32Array, lowest: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < logits.length; i++) if (logits[i]! >= lowest) found.push(i);
  return found;
}

function sum(weights: Float64Array): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) total += weights[i]!;
  return total;
}

/** How many of the first weights it takes to reach a goal. At least one. */
function reach(weights: Float64Array, goal: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    total += weights[i]!;
    if (total >= goal) return i + 1;
  }
  return weights.length;
}
