import type { Command } from '@heddle/core';
import { trackerOption } from '../trackers.js';

export const start: Command = {
  name: 'start',
  describe:
    'The whole way in some minutes: a small model learns arithmetic, then to think in parallel paths, and gets better at it by reinforcement learning. Or, with --task translation, plain attention, EMHA and PartialFormer learn to translate side by side; with --task multilingual, one model learns many languages by adapters that are merged and compared; with --task language, a language model learns from the text at hand.',
  options: [
    {
      flags: '--task <name>',
      describe:
        'thinking, translation, multilingual, or language (default: thinking; language with --text or --prompt)',
    },
    {
      flags: '--text <file...>',
      describe: "files or folders to learn from (default: Heddle's own documents and sources)",
      many: true,
    },
    {
      flags: '--out <folder>',
      describe:
        'where the run lives (default: .heddle/curriculum, .heddle/translation, .heddle/multilingual, .heddle/start)',
    },
    {
      flags: '--steps <n>',
      describe: 'optimizer steps of translation or language, or of each direction (default: some minutes of them)',
    },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    trackerOption,
    { flags: '--prompt <text>', describe: 'how the samples of a language model begin' },
    { flags: '--resume', describe: 'go on with a stopped language model without asking; the other tasks always go on' },
    { flags: '--fresh', describe: 'begin anew without asking; the run that is there is kept as FOLDER.before' },
  ],
  examples: [
    'start',
    'start --fresh --seed 7',
    'start --task translation',
    'start --task language',
    'start --text ~/letters',
  ],
  run: async (call, host) => (await import('./start.run.js')).runStart(call, host),
};
