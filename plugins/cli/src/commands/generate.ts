import type { Command } from '@heddle/core';

export const generate: Command = {
  name: 'generate',
  describe: 'Write on from a prompt with a trained model; the text appears while it is made.',
  options: [
    { flags: '--model <folder>', describe: 'a run, or its model/ (required)' },
    { flags: '--prompt <text>', describe: 'where to begin; from standard input when left out' },
    { flags: '--max-tokens <n>', describe: 'tokens at most (default: 200)' },
    {
      flags: '--temperature <x>',
      describe: '0 takes the likeliest token, 1 samples as trained, more is wilder (default: 0.8)',
    },
    { flags: '--top-k <n>', describe: 'only the n likeliest tokens; 0 for all (default: 0)' },
    { flags: '--top-p <x>', describe: 'only the likeliest tokens that together have this probability (default: 1)' },
    { flags: '--seed <n>', describe: 'the same seed writes the same text (default: 0)' },
    { flags: '--samples <n>', describe: 'how many texts (default: 1)' },
    { flags: '--backend <name>', describe: 'an engine by name, or auto (default: auto)' },
  ],
  examples: [
    'generate --model runs/book --prompt "It was"',
    'generate --model runs/book --prompt "It was" --samples 3 --temperature 1',
    'echo "Dear " | heddle generate --model runs/book --max-tokens 50',
  ],
  run: async (call, host) => (await import('./generate.run.js')).runGenerate(call, host),
};
