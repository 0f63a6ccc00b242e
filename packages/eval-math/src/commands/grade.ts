import type { Command } from '@heddle/core';

export const grade: Command = {
  name: 'grade',
  describe: 'Grade math answers: a file of JSON lines, or one pair that is explained.',
  args: [
    { name: 'gold', describe: 'with --explain: the reference', required: false },
    { name: 'pred', describe: 'with --explain: the answer', required: false },
  ],
  options: [
    {
      flags: '--input <file>',
      describe: "JSON lines with 'gold' and 'pred' (an answer) or 'completion' (a text); - for standard input",
    },
    { flags: '--explain', describe: 'explain one pair given as arguments, with the trees of both' },
    { flags: '--output <file>', describe: 'write the verdicts as JSON lines to this file, whole or not at all' },
    { flags: '--gold <field>', describe: 'name of the field with the reference', default: 'gold' },
    {
      flags: '--pred <field>',
      describe: 'name of the field with the answer or the text (default: pred, else completion)',
    },
    {
      flags: '--profile <name>',
      describe: 'conventions of another grader',
      choices: ['math-verify', 'hendrycks', 'trl'],
    },
    { flags: '--lenient', describe: 'also accept a missing percent sign and parts in any brackets' },
    { flags: '--ordered', describe: 'lists count only in their order' },
    { flags: '--places <n>', describe: 'decimals from which a rounded number is accepted (default: 6)' },
    { flags: '--workers <n>', describe: 'threads; 0 grades in this one (default: one a core, at most 8)' },
  ],
  examples: [
    "grade --explain '\\frac{1}{2}' '0.5'",
    'grade --input answers.jsonl',
    'grade --input answers.jsonl --json > verdicts.jsonl',
    'grade --input - --output verdicts.jsonl',
  ],
  run: async (call, host) => (await import('./grade.run.node.js')).runGrade(call, host),
};
