import type { Command } from '@heddle/core';

export const exportCommand: Command = {
  name: 'export',
  describe: 'Write a trained model as an ONNX file that other programs open.',
  options: [
    { flags: '--model <folder>', describe: 'a run, or its model/ (required)' },
    { flags: '--out <file>', describe: 'the .onnx file to write (required)' },
    {
      flags: '--what <graph>',
      describe:
        'forward: ids to logits. decode: one token over a cache. train: a whole step, weights as inputs (default: forward)',
      choices: ['forward', 'decode', 'train'],
    },
    { flags: '--batch <n>', describe: 'rows (default: 1)' },
    { flags: '--length <n>', describe: "tokens of a row, or places of the cache (default: the model's own)" },
    { flags: '--force', describe: 'replace a file that is there' },
  ],
  examples: [
    'export --model runs/book --out book.onnx',
    'export --model runs/book --what train --batch 8 --length 64 --out step.onnx',
  ],
  run: async (call, host) => (await import('./export.run.js')).runExport(call, host),
};
