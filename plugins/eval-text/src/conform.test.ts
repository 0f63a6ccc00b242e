import { conformPlugin } from '@heddle/core/testing';
import packageJson from '../package.json' with { type: 'json' };
import plugin from './index.js';

conformPlugin(plugin, {
  packageJson,
  load: () => import('./index.js'),
  scores: {
    // What each is meant for, beside the kit's own samples.
    bleu: { samples: [{ answer: 'the shuttle carries the weft', reference: 'the shuttle carries weft' }] },
    'bleu-zh': { samples: [{ answer: '织机有经线。', reference: '织机有很多经线。' }] },
    rougeLsum: { samples: [{ answer: 'one line\nand another', reference: 'another line\nand one' }] },
    mcc: {
      samples: [
        { answer: 'warp', reference: 'warp' },
        { answer: 'weft', reference: 'warp' },
      ],
    },
  },
});
