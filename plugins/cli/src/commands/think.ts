import type { Command } from '@heddle/core';

export const think: Command = {
  name: 'think',
  describe: 'Solve problems with a model that heddle curriculum taught; paths of a block are decoded together and shown side by side.', // prettier-ignore
  options: [
    { flags: '--model <folder>', describe: 'the folder of a run, or its model/ (required)' },
    { flags: '--text <text...>', describe: 'problems; lines of standard input when left out', many: true },
    { flags: '--samples <n>', describe: 'answers to each; of several the most frequent is said (default: 1)' },
    { flags: '--paths <n>', describe: 'paths of a block; 1 writes one line, whatever tags it holds (default: 2)' },
    { flags: '--temperature <x>', describe: 'of sampling, above 0 (default: 0.7)' },
    { flags: '--max-tokens <n>', describe: 'of an answer (default: as many as the model has room for)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name, or auto (default: auto)' },
  ],
  examples: [
    'think --model .heddle/curriculum --text "What is 3 + 4 + 9 + 2?"',
    'think --model runs/paths-1 --samples 5 --text "Mia has 20 coins and spends 4, 5 and 2. How many are left?"',
  ],
  run: async (call, host) => (await import('./think.run.js')).runThink(call, host),
};
