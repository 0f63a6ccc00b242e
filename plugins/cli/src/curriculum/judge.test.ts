/** Answers that no comparison of texts gets right, judged on threads. */

import { createHost } from '@heddle/core';
import { combineRewards } from '@heddle/rl-grpo';
import { expect, it } from 'vitest';
import { mathJudge } from './judge.js';

it('knows equal values in other words, and leaves out what cannot be decided', async () => {
  const host = createHost();
  const judge = mathJudge(host);
  const of = (completion: string, reference: string | null) =>
    judge({ prompt: '', completion, reference, step: 1, length: 10, limit: 20 });
  const tags = '<Parallel><Path>a half</Path><Path>2/4</Path></Parallel>\n<Summary>the same</Summary>';
  expect(await of(`${tags} So it is \\boxed{\\frac{2}{4}}.`, '0.5')).toBe(true);
  expect(await of('Final Answer: $x+1$', '1+x')).toBe(true);
  expect(await of('It is \\boxed{3}', '0.5')).toBe(false);
  expect(await of('', '0.5')).toBe(false);
  expect(await of('It is \\boxed{3}', null)).toBeNull();
  expect(await of('It is \\boxed{3}', '')).toBeNull();
  // A power without end is given up within the budget of a comparison.
  expect(await of('\\boxed{9^{9^{9^{9}}}+1}', '9^{9^{9^{9}}}')).not.toBe(true);
  const reward = combineRewards([{ reward: 'parallel-bonus', options: { judge, bonus: 1.2 } }]);
  const sample = {
    prompt: '',
    completion: `${tags} \\boxed{\\frac12}`,
    reference: '50\\%',
    step: 1,
    length: 1,
    limit: 2,
  };
  expect(await reward({ ...sample, reference: '0.5' })).toBe(1.2);
  await host.close();
  await expect(of('It is \\boxed{3}', '3')).rejects.toThrow(/closed/);
});
