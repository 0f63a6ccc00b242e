import type { Command } from '@heddle/core';

export const start: Command = {
  name: 'start',
  describe: 'The whole way in about a minute: train a small language model on the text at hand, and write with it.',
  options: [
    {
      flags: '--text <file...>',
      describe: "files or folders to learn from (default: Heddle's own documents and sources)",
      many: true,
    },
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/start)' },
    { flags: '--steps <n>', describe: 'optimizer steps (default: about a minute of them on two cores)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    { flags: '--prompt <text>', describe: 'how the samples begin' },
    { flags: '--resume', describe: 'go on with a stopped run without asking' },
    { flags: '--fresh', describe: 'begin anew without asking; the run that is there is kept as FOLDER.before' },
  ],
  examples: ['start', 'start --text ~/letters', 'start --fresh --seed 7'],
  run: async (call, host) => (await import('./start.run.js')).runStart(call, host),
};
