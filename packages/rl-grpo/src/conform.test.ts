import gpujs from '@heddle/backend-gpujs';
import { f32, host } from '@heddle/core';
import { conformPlugin, type OpLaws } from '@heddle/core/testing';
import packageJson from '../package.json' with { type: 'json' };
import kernels from './gpujs.js';
import plugin from './index.js';

const block = '<Parallel><Path>6+6=12</Path><Path>2*6=12</Path></Parallel>\n<Summary>12</Summary>';
const samples = [
  { prompt: 'How many?', answer: `${block}\nFinal Answer: 12`, reference: '12' },
  { prompt: 'How many?', answer: '<Parallel><Path>alone</Path></Parallel>\nFinal Answer: 12', reference: '12' },
  { prompt: 'How many?', answer: 'Final Answer: $1,200$', reference: '1200' },
];

const one = host([1], [0], 'i32');
const some = host([2, 3], [0, 4, 2, 1, 1, 3], 'i32');
const cold = { temperature: 0.7 };
const ops: Readonly<Record<string, OpLaws>> = {
  'rl.tokenScores': {
    samples: [
      { inputs: [f32(1, 2), one], attrs: { temperature: 1 } },
      { inputs: [f32(2, 3, 5), some], attrs: cold },
      { inputs: [f32(2, 3, 5), some], attrs: { temperature: 1 }, range: [-30, 30] },
    ],
  },
  'rl.tokenScoresGradient': {
    samples: [
      { inputs: [f32(1, 2), one, f32(1), f32(1)], attrs: { temperature: 1 } },
      { inputs: [f32(2, 3, 5), some, f32(2, 3), f32(2, 3)], attrs: cold },
      { inputs: [f32(2, 3, 5), some, f32(2, 3), f32(2, 3), f32(2, 3), f32(2, 3)], attrs: cold },
    ],
  },
};

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  ops,
  scores: Object.fromEntries(
    ['accuracy', 'parallel-bonus', 'parallel-and-accurate', 'accurate-and-formed', 'format'].map(name => [
      `parallel-r1:${name}`,
      { samples },
    ]),
  ),
});

// Beside gpu.js's engine, so that the kernels run, in every mode that is here.
conformPlugin(kernels, { load: () => import('./gpujs.js'), beside: [gpujs, plugin], ops });
