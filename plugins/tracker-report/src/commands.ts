/** `heddle report`: a description only; what it does is loaded when it runs. */

import type { Command } from '@heddle/core';

export const commands: readonly Command[] = [
  {
    name: 'report',
    describe: 'Training runs side by side as one HTML page, out of their logs.',
    args: [{ name: 'runs', describe: 'folders of runs, or their events.jsonl', required: true, many: true }],
    options: [
      { flags: '--out <file>', describe: 'where to write the page (default: report.html)' },
      { flags: '--title <text>', describe: 'its title' },
    ],
    examples: ['report runs/baseline runs/emha --out compare.html'],
    run: async call => (await import('./commands/report.node.js')).runReport(call),
  },
];
