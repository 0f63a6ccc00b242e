import type { Command } from '@heddle/core';
import { settingOptions } from '../settings.js';
import { trackerOption } from '../trackers.js';

export const trainCommand: Command = {
  name: 'train',
  describe: 'Train a language model on text; a stopped run goes on with --resume.',
  options: [
    {
      flags: '--out <folder>',
      describe: 'where the run lives: config, tokeniser, checkpoints, events, model (required)',
    },
    {
      flags: '--resume [how]',
      describe: 'go on from the newest checkpoint in --out; auto: if there is one, else begin',
      choices: ['auto', 'always'],
    },
    {
      flags: '--config <file>',
      describe: 'settings in JSON, by the same names: { "steps": 500, "warmUp": 20 }; the command line is stronger',
    },
    trackerOption,
    ...settingOptions(),
  ],
  examples: [
    'train --text book.txt --out runs/book',
    'train --text notes/ letters.txt --model tiny --steps 300 --tokenizer byte --out runs/notes',
    'train --resume --out runs/book',
    'train --config train.json --rate 0.001 --out runs/slow --json',
  ],
  run: async (call, host) => (await import('./train.run.js')).runTrain(call, host),
};
