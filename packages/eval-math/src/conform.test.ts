import { conformPlugin, type TextSample } from '@heddle/core/testing';
import { readFileSync } from 'node:fs';
import plugin from './plugin.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

const samples: readonly TextSample[] = [
  { prompt: 'Half of a half?', answer: 'So it is $\\boxed{\\frac14}$.', reference: '0.25' },
  { prompt: 'Solve.', answer: '<think>hm</think> The answer is $x \\in (1, 2]$.', reference: '1 < x \\le 2' },
  { prompt: 'Too big?', answer: '\\boxed{10**(10**10)}', reference: '7^{10^{10}}' },
];

conformPlugin(plugin, {
  packageJson,
  load: () => import('./plugin.js'),
  scores: { math: { samples } },
});
