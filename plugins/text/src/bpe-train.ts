/** Learning byte-pair merges from text. */

import { fail } from '@heddle/core';
import { bpeTokenizer } from './bpe.js';
import { longestToken, plainBytes, type Merge } from './bpe-parts.js';
import { heap } from './heap.js';
import { pairTable } from './pairs.js';
import { numberSpecials, standardSpecials } from './specials.js';
import type { Tokenizer } from './tokenizer.js';
import { forEachWord } from './words.js';

export interface TrainBpeOptions {
  /** Bytes and specials included. Text too small or too plain for so many gives fewer: look at the result's `vocabularySize`. */
  readonly vocabularySize: number;
  /** Default `<bos> <eos> <pad>`; their ids follow the bytes, whatever the size. */
  readonly specials?: readonly string[];
  /** A pair seen less often is never merged. Default 2. */
  readonly leastCount?: number;
}

/**
 * Merges the most frequent pair of neighbours, again and again.
 *
 * The result depends on how often each word occurs and on nothing else: not on the order of the texts, and of two
 * pairs equally frequent the one with the lower left id goes first, then the lower right id.
 *
 * @throws E_TOKENIZER for a vocabulary smaller than bytes and specials
 *
 * @example
 * const tokenizer = trainBpe(['low lower lowest'], { vocabularySize: 262 });
 */
export function trainBpe(
  texts: Iterable<string>,
  { vocabularySize, specials: names = standardSpecials, leastCount = 2 }: TrainBpeOptions,
): Tokenizer {
  const specials = numberSpecials(names, 256);
  const least = 256 + names.length;
  if (!Number.isInteger(vocabularySize) || vocabularySize < least || vocabularySize >= 2 ** 21) {
    fail(
      'E_TOKENIZER',
      `vocabularySize: expected a whole number from ${least} (bytes and specials) to ${2 ** 21 - 1}, received ${vocabularySize}. Ask for more tokens, or fewer specials.`,
      { vocabularySize, least },
    );
  }

  const words = new Map<string, number>();
  for (const text of texts) forEachWord(text, word => words.set(word, (words.get(word) ?? 0) + 1));
  const chain = layOut(words);
  const pairs = countPairs(chain);

  const lengths = Array.from({ length: least }, () => 1);
  const idBySpelling = new Map<string, number>(); // two different pairs can spell the same token
  const spellings: string[] = Array.from({ length: least }, (_, id) => String.fromCharCode(id));
  const merges: Merge[] = [];
  while (lengths.length < vocabularySize) {
    const best = pairs.best(leastCount);
    if (!best) break;
    const { left, right } = best;
    if (lengths[left]! + lengths[right]! > longestToken) continue; // `best` came off the queue: it is not asked again
    const spelling = spellings[left]! + spellings[right]!;
    let result = idBySpelling.get(spelling);
    if (result === undefined) {
      result = lengths.length;
      lengths.push(lengths[left]! + lengths[right]!);
      spellings.push(spelling);
      idBySpelling.set(spelling, result);
    }
    merges.push([left, right, result]);
    pairs.merge(best, result);
  }
  return bpeTokenizer({ bytes: plainBytes, merges, specials });
}

/** Every distinct word once, as a chain of symbols. */
interface Chain {
  readonly symbols: Int32Array;
  /** -1 at either end of a word. */
  readonly next: Int32Array;
  readonly previous: Int32Array;
  /** How often the word of this symbol occurs. */
  readonly weights: Float64Array;
}

function layOut(words: ReadonlyMap<string, number>): Chain {
  const encoder = new TextEncoder();
  let total = 0;
  const spelled: (readonly [Uint8Array, number])[] = [];
  for (const [word, count] of words) {
    const bytes = encoder.encode(word);
    if (bytes.length < 2) continue; // nothing to merge
    spelled.push([bytes, count]);
    total += bytes.length;
  }
  const chain: Chain = {
    symbols: new Int32Array(total),
    next: new Int32Array(total),
    previous: new Int32Array(total),
    weights: new Float64Array(total),
  };
  let at = 0;
  for (const [bytes, count] of spelled) {
    for (let place = 0; place < bytes.length; place++, at++) {
      chain.symbols[at] = bytes[place]!;
      chain.previous[at] = place === 0 ? -1 : at - 1;
      chain.next[at] = place === bytes.length - 1 ? -1 : at + 1;
      chain.weights[at] = count;
    }
  }
  return chain;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** The count that it stands in the queue with; the queue is put right when the pair comes out. */
  queued: number;
  /** Positions of its left symbol; some may have changed since. */
  places: number[];
}

/** Counts of neighbours, kept right through merges by looking only at the places that a merge touches. */
function countPairs({ symbols, next, previous, weights }: Chain) {
  const table = pairTable(1024);
  const pairs: Pair[] = [];
  const queue = heap<{ readonly count: number; readonly pair: Pair }>(
    (a, b) =>
      a.count > b.count ||
      (a.count === b.count &&
        (a.pair.left < b.pair.left || (a.pair.left === b.pair.left && a.pair.right < b.pair.right))),
  );
  const enqueue = (pair: Pair): void => {
    pair.queued = pair.count;
    queue.push({ count: pair.count, pair });
  };

  const add = (left: number, right: number, place: number): Pair => {
    let index = table.get(left, right);
    if (index < 0) {
      index = pairs.push({ left, right, count: 0, queued: 0, places: [] }) - 1;
      table.set(left, right, index);
    }
    const pair = pairs[index]!;
    pair.count += weights[place]!;
    pair.places.push(place);
    return pair;
  };

  for (let at = 0; at < symbols.length; at++) if (next[at]! >= 0) add(symbols[at]!, symbols[next[at]!]!, at);
  for (const pair of pairs) enqueue(pair);

  return {
    /** Takes the most frequent pair off the queue; null when none occurs `leastCount` times. */
    best(leastCount: number): Pair | null {
      for (let top = queue.pop(); top; top = queue.pop()) {
        const { count, pair } = top;
        if (count !== pair.queued) continue; // it stands elsewhere in the queue too
        if (count !== pair.count) {
          if (pair.count >= leastCount) enqueue(pair);
          else pair.queued = 0;
          continue;
        }
        pair.queued = 0;
        return count >= leastCount ? pair : null;
      }
      return null;
    },

    /** Makes `result` of every place where the pair stands. */
    merge(pair: Pair, result: number): void {
      const { left, right } = pair;
      const grown = new Set<Pair>();
      const places = left === right ? Int32Array.from(pair.places).sort() : pair.places; // in a run of one symbol the leftmost pair merges
      pair.places = [];
      for (const at of places) {
        const after = next[at]!;
        if (symbols[at] !== left || after < 0 || symbols[after] !== right) continue; // changed since, or listed twice
        const weight = weights[at]!;
        const [before, beyond] = [previous[at]!, next[after]!];
        pair.count -= weight;
        if (before >= 0) pairs[table.get(symbols[before]!, left)]!.count -= weight;
        if (beyond >= 0) pairs[table.get(right, symbols[beyond]!)]!.count -= weight;
        symbols[at] = result;
        symbols[after] = GONE;
        next[at] = beyond;
        if (beyond >= 0) {
          previous[beyond] = at;
          grown.add(add(result, symbols[beyond]!, at));
        }
        if (before >= 0) grown.add(add(symbols[before]!, result, before));
      }
      for (const one of grown) if (one.count > one.queued) enqueue(one);
    },
  };
}

const GONE = -1;
