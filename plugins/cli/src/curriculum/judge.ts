/** The grader of eval-math as a judge of answers, on threads: what does not end in its budget is undecided, and left out. */

import type { Host } from '@heddle/core';
import { withoutTags, type Judge } from '@heddle/rl-grpo';

/** Opened when the first answer is judged; closed with the host. */
export function mathJudge(host: Host): Judge {
  let pool: Promise<import('@heddle/eval-math/node').GradePool> | null = null;
  return async ({ completion, reference }, signal) => {
    if (reference === null) return null;
    pool ??= host.open(async () => (await import('@heddle/eval-math/node')).openPool());
    const [verdict] = await (await pool).grade([{ gold: reference, answer: withoutTags(completion) }], signal);
    switch (verdict!.verdict) {
      case 'correct':
        return true;
      case 'incorrect':
        return false;
      case 'undecided':
        return null;
      case 'unparsed':
        // Of the reference nothing can be said; an answer that is none is wrong.
        return verdict!.stage.endsWith('gold') ? null : false;
    }
  };
}
