import { conformPlugin } from '@heddle/core/testing';
import packageJson from '../package.json' with { type: 'json' };
import plugin from './index.js';

const block = '<Parallel><Path>6+6=12</Path><Path>2*6=12</Path></Parallel>\n<Summary>12</Summary>';
const samples = [
  { prompt: 'How many?', answer: `${block}\nFinal Answer: 12`, reference: '12' },
  { prompt: 'How many?', answer: '<Parallel><Path>alone</Path></Parallel>\nFinal Answer: 12', reference: '12' },
  { prompt: 'How many?', answer: 'Final Answer: $1,200$', reference: '1200' },
];

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  scores: Object.fromEntries(
    ['accuracy', 'parallel-bonus', 'parallel-and-accurate', 'accurate-and-formed', 'format'].map(name => [
      `parallel-r1:${name}`,
      { samples },
    ]),
  ),
});
