import type { Command } from '@heddle/core';

export const translate: Command = {
  name: 'translate',
  describe:
    'Write a text for each line with a model that heddle task or heddle multilingual trained: translations, summaries, corrections.',
  options: [
    { flags: '--model <folder>', describe: 'the model/ of a run, or the folder of heddle multilingual (required)' },
    { flags: '--to <language>', describe: 'the language to write, for a multilingual model' },
    { flags: '--from <language>', describe: 'the language of the text, for a multilingual model (default: en)' },
    {
      flags: '--text <text...>',
      describe: 'what to translate; when left out, lines of standard input, or as you type them',
      many: true,
    },
    { flags: '--beams <n>', describe: 'beginnings that are kept of each text (default: 4)' },
    { flags: '--batch <n>', describe: 'texts at once (default: 16)' },
    { flags: '--backend <name>', describe: 'an engine by name, or auto (default: auto)' },
  ],
  examples: [
    'translate --model .heddle/translation/baseline/model --text "The weaver holds the thread."',
    'translate --model .heddle/multilingual --to xa1 --text "The weaver holds the thread."',
    'cat lines.en | heddle translate --model runs/en-de/emha/model',
  ],
  run: async (call, host) => (await import('./translate.run.js')).runTranslate(call, host),
};
