import type { Command } from '@heddle/core';
import { trackerOption } from '../trackers.js';

export const task: Command = {
  name: 'task',
  describe:
    'Text from text: train plain attention, EMHA and PartialFormer side by side, and compare what they write. A stopped run goes on.',
  args: [{ name: 'task', describe: 'translation, summarisation or correction', required: true }],
  options: [
    {
      flags: '--pairs <name...>',
      describe:
        "pairs to learn from: FILE.tsv, FILE.jsonl, A.en+A.de, FILE.m2, catalogs:en-de, grammar:en-de (default: the task's own)",
      many: true,
    },
    { flags: '--models <names>', describe: 'some of baseline,emha,partial (default: all)' },
    { flags: '--steps <n>', describe: 'optimizer steps of each model (default: 300)' },
    { flags: '--tokens <n>', describe: 'tokens of a batch, either side (default: 2048)' },
    { flags: '--width <n>', describe: 'of the models (default: 128)' },
    { flags: '--depth <n>', describe: 'blocks of encoder and decoder each (default: 2)' },
    { flags: '--rate <x>', describe: 'the highest learning rate (default: 0.003)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    trackerOption,
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/TASK)' },
    { flags: '--fresh', describe: 'begin anew; the run that is there is kept as FOLDER.before' },
  ],
  examples: [
    'task translation',
    'task translation --pairs corpus.tsv:en:de --steps 2000 --out runs/en-de',
    'task summarisation --models baseline,emha',
  ],
  run: async (call, host) => (await import('./task.run.js')).runTask(call, host),
};
