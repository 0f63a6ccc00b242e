/** The greedy search of TER for blocks of words to shift (Snover et al. 2006), with Tercom's heuristics. */

import { editDistance } from './edit-distance.js';

/** Words of a block, and places that it may move by. */
const longestBlock = 10;
const farthestShift = 50;
/** sacreBLEU's own bound: a search that has tried so many shifts ends where it is. */
const mostTried = 1000;

interface Shift {
  readonly gain: number;
  readonly length: number;
  readonly start: number;
  readonly target: number;
}

/** @returns edits that turn a hypothesis into a reference: insertions, deletions, substitutions, shifts of blocks */
export function translationEdits(hypothesis: Int32Array, reference: Int32Array): number {
  if (reference.length === 0) return hypothesis.length;
  const distances = editDistance(reference, hypothesis.length);
  let current: Int32Array = hypothesis;
  let trial: Int32Array = new Int32Array(hypothesis.length);
  let [tried, shifts] = [0, 0];
  for (;;) {
    const { distance, at, referenceErrors, hypothesisErrors } = distances.align(current);
    if (distance === 0) return shifts; // nothing can be gained
    let best: Shift | null = null;
    const errorsBefore = sumsBefore(hypothesisErrors);
    const missesBefore = sumsBefore(referenceErrors);
    search: for (let start = 0; start < current.length; start++) {
      const last = Math.min(reference.length - 1, start + farthestShift);
      for (let from = Math.max(0, start - farthestShift); from <= last; from++) {
        const longest = Math.min(longestBlock, current.length - start, reference.length - from);
        for (
          let length = 1;
          length <= longest && current[start + length - 1] === reference[from + length - 1];
          length++
        ) {
          // Only what is wrong here and missing there is worth moving, and not within itself.
          if (errorsBefore[start + length] === errorsBefore[start]) continue;
          if (missesBefore[from + length] === missesBefore[from]) continue;
          if (at[from]! >= start && at[from]! < start + length) continue;
          let before = -1;
          for (let offset = -1; offset < length; offset++) {
            const target = from + offset < 0 ? 0 : at[from + offset]! + 1;
            if (target === before) continue;
            before = target;
            const [low, high] = shift(current, start, length, target, trial);
            const gain = distance - distances.shifted(trial, low, high);
            tried++;
            if (best === null || better(gain, length, start, target, best)) best = { gain, length, start, target };
          }
          if (tried >= mostTried) break search;
        }
      }
    }
    if (tried >= mostTried || best === null || best.gain <= 0) return shifts + distance;
    shift(current, best.start, best.length, best.target, trial);
    [current, trial] = [trial, current === hypothesis ? new Int32Array(hypothesis.length) : current];
    shifts++;
  }
}

/** Most gain, then longest, then earliest block, then earliest target. */
function better(gain: number, length: number, start: number, target: number, best: Shift): boolean {
  if (gain !== best.gain) return gain > best.gain;
  if (length !== best.length) return length > best.length;
  if (start !== best.start) return start < best.start;
  return target < best.target;
}

/**
 * Moves `length` words from `start` before what stood at `target`; a target within the block counts from its start.
 *
 * @returns the part that may have changed: [from, to)
 */
function shift(
  words: Int32Array,
  start: number,
  length: number,
  target: number,
  into: Int32Array,
): readonly [number, number] {
  into.set(words);
  if (target < start) {
    into.copyWithin(target + length, target, start);
    into.set(words.subarray(start, start + length), target);
    return [target, start + length];
  }
  const end = Math.min(words.length, target > start + length ? target : target + length); // behind the moved block
  into.copyWithin(start, start + length, end);
  into.set(words.subarray(start, start + length), end - length);
  return [start, end];
}

function sumsBefore(flags: Uint8Array): Int32Array {
  const sums = new Int32Array(flags.length + 1);
  for (let i = 0; i < flags.length; i++) sums[i + 1] = sums[i]! + flags[i]!;
  return sums;
}
