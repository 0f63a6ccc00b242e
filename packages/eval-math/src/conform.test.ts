import { conformGrader, conformPlugin, conformReward, type TextSample } from '@heddle/core/testing';
import plugin, { mathGrader, mathReward } from './plugin.js';

const samples: readonly TextSample[] = [
  { prompt: 'Half of a half?', answer: 'So it is $\\boxed{\\frac14}$.', reference: '0.25' },
  { prompt: 'Solve.', answer: '<think>hm</think> The answer is $x \\in (1, 2]$.', reference: '1 < x \\le 2' },
  { prompt: 'Too big?', answer: '\\boxed{10**(10**10)}', reference: '10^{10^{10}} + 1' },
];

conformPlugin(plugin);
conformGrader(mathGrader(), { samples, budget: 100 });
conformReward(mathReward(), { samples, budget: 100 });
