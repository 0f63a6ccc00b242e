/** Rewards of a batch, whatever a reward does: throw, hang, or give what is no number. */

import { fail } from '@heddle/core';
import type { RewardFunction, RewardInput } from './rewards.js';

export interface RewardFault {
  /** Index in the batch. */
  readonly sample: number;
  readonly kind: 'threw' | 'timed-out' | 'not-a-number' | 'broke-off';
  readonly reason: string;
}

export interface Scored {
  /** null for samples that the reward leaves out, and for faulty ones. */
  readonly scores: readonly (number | null)[];
  readonly faults: readonly RewardFault[];
}

export interface ScoreOptions {
  /** Milliseconds for one sample. Only a reward that waits can be stopped: one that computes for ever needs a worker. */
  readonly timeout?: number;
  /** `leave-out` gives faulty samples null and says so; `fail` stops. Default `leave-out`. */
  readonly onFault?: 'leave-out' | 'fail';
  readonly signal?: AbortSignal;
}

/**
 * Scores each sample by itself, all at once. No sample is lost in silence: what has no score is null by the reward's own
 * word or stands among the faults.
 *
 * @throws E_REWARD with `onFault: 'fail'`, naming sample and reason
 */
export async function scoreAll(
  reward: RewardFunction,
  samples: readonly RewardInput[],
  { timeout = 10_000, onFault = 'leave-out', signal }: ScoreOptions = {},
): Promise<Scored> {
  signal?.throwIfAborted();
  const faults: RewardFault[] = [];
  const scores = await Promise.all(
    samples.map(async (sample, i) => {
      const fault = (kind: RewardFault['kind'], reason: string): null => {
        faults.push({ sample: i, kind, reason });
        return null;
      };
      try {
        const score = await within(timeout, signal, own => reward(sample, own));
        if (score === late) return fault('timed-out', `no score after ${timeout} ms`);
        return score === null || Number.isFinite(score) ? score : fault('not-a-number', `gave ${String(score)}`);
      } catch (error) {
        signal?.throwIfAborted();
        return fault('threw', error instanceof Error ? error.message : String(error));
      }
    }),
  );
  faults.sort((a, b) => a.sample - b.sample);
  const [first] = faults;
  if (first && onFault === 'fail')
    fail(
      'E_REWARD',
      `reward of sample ${first.sample}: expected a finite number or null, it ${first.kind === 'threw' ? 'threw: ' : ''}${first.reason}. Mend the reward, or leave such samples out with onFault: 'leave-out'.`,
      { ...first, faults: faults.length },
    );
  return { scores, faults };
}

const late = Symbol('late');

/** What `run` gives, or `late` after so many milliseconds, when its signal is aborted too. */
async function within<T>(
  milliseconds: number,
  outer: AbortSignal | undefined,
  run: (signal: AbortSignal) => T | Promise<T>,
): Promise<T | typeof late> {
  const own = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort: (() => void) | undefined;
  const end = new Promise<typeof late>((resolve, reject) => {
    timer = setTimeout(resolve, milliseconds, late);
    abort = () => reject(outer?.reason as Error);
    outer?.addEventListener('abort', abort, { once: true });
  });
  try {
    return await Promise.race([(async () => run(own.signal))(), end]);
  } finally {
    clearTimeout(timer);
    if (abort) outer?.removeEventListener('abort', abort);
    own.abort();
  }
}
