import type { Command } from '@heddle/core';

export const start: Command = {
  name: 'start',
  describe:
    'The whole way in about two minutes: plain attention, EMHA and PartialFormer learn to translate, side by side. Or, with --task language, a small language model learns from the text at hand and writes.',
  options: [
    {
      flags: '--task <name>',
      describe: 'translation, or language (default: translation; language with --text or --prompt)',
    },
    {
      flags: '--text <file...>',
      describe: "files or folders to learn from (default: Heddle's own documents and sources)",
      many: true,
    },
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/translation, .heddle/start)' },
    { flags: '--steps <n>', describe: 'optimizer steps (default: a minute or two of them on two cores)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    { flags: '--prompt <text>', describe: 'how the samples of a language model begin' },
    { flags: '--resume', describe: 'go on with a stopped language model without asking; translation always goes on' },
    { flags: '--fresh', describe: 'begin anew without asking; the run that is there is kept as FOLDER.before' },
  ],
  examples: ['start', 'start --fresh --seed 7', 'start --task language', 'start --text ~/letters'],
  run: async (call, host) => (await import('./start.run.js')).runStart(call, host),
};
