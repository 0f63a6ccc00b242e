/** What `heddle start` does about the run that it finds. Pure. */

import type { RunState } from './run-folder.js';

export interface Found {
  readonly state: RunState;
  readonly fresh: boolean;
  readonly resume: boolean;
  /** A person can be asked. */
  readonly person: boolean;
  /** Settings that were asked for now and are not those of the run. */
  readonly differing: readonly string[];
}

export type Choice =
  | {
      readonly kind: 'begin';
      /** A run is in the way and is kept beside. */ readonly aside: boolean;
      readonly say: string | null;
    }
  | { readonly kind: 'resume'; readonly say: string }
  | { readonly kind: 'ask'; readonly question: string }
  | { readonly kind: 'refuse'; readonly why: 'foreign' | 'differing' };

export function choose({ state, fresh, resume, person, differing }: Found): Choice {
  if (state.kind === 'other') return { kind: 'refuse', why: 'foreign' };
  if (state.kind === 'absent')
    return { kind: 'begin', aside: false, say: resume ? 'There is no stopped run: this one begins.' : null };
  if (fresh) return { kind: 'begin', aside: true, say: null };
  // A finished run is never lost and never in the way: `start` always trains.
  if (state.finished)
    return {
      kind: 'begin',
      aside: true,
      say: `The run before has finished (step ${state.settings.steps}): this one begins anew.`,
    };
  if (state.step === null)
    return {
      kind: 'begin',
      aside: true,
      say: 'The run before stopped ahead of its first checkpoint: this one begins anew.',
    };
  if (differing.length > 0) {
    if (resume) return { kind: 'refuse', why: 'differing' };
    return {
      kind: 'begin',
      aside: true,
      say: `The run before stopped at step ${state.step}, but with another ${differing.join(', ')}: this one begins anew.`,
    };
  }
  const where = `at step ${state.step} of ${state.settings.steps}`;
  if (resume) return { kind: 'resume', say: `Going on ${where}.` };
  if (person) return { kind: 'ask', question: `The run before stopped ${where}. Go on with it? [Y/n] ` };
  return { kind: 'resume', say: `The run before stopped ${where}: going on from there (--fresh begins anew).` };
}

/** An empty answer is yes. */
export const isYes = (answer: string): boolean => !/^\s*n/i.test(answer);
