/** The commands of `heddle merge`: descriptions only; what they do is loaded when they run. */

import type { Command, CommandOption } from '@heddle/core';

const models: CommandOption = {
  flags: '--models <folder>',
  describe: 'further folders in which models are looked up',
  many: true,
};
const force: CommandOption = { flags: '--force', describe: 'replace a result that is there' };
const recipe = { name: 'recipe', describe: "a recipe in YAML; mergekit's run unchanged", required: true } as const;
const sizes: readonly CommandOption[] = [
  { flags: '--threads <n>', describe: 'threads (default: processors, at most 4)' },
  { flags: '--memory <size>', describe: 'for inputs of methods of several passes, such as 512M (default: 256M)' },
  { flags: '--shard-size <size>', describe: 'tensors per file, such as 2G (default: 5G)' },
];

export const commands: readonly Command[] = [
  {
    name: 'merge plan',
    describe: 'Say what a merge would do: tensors, mismatches, tokens, bytes, memory, disk. Reads headers only.',
    args: [recipe],
    options: [
      { flags: '--out <folder>', describe: 'where the result would go, to look at the disk there' },
      ...sizes,
      models,
    ],
    examples: ['merge plan ties.yml', 'merge plan ties.yml --json'],
    run: async (call, host) => (await import('./commands/plan.node.js')).runPlan(call, host),
  },
  {
    name: 'merge run',
    describe: 'Merge models as a recipe says; a merge that was stopped goes on when run again.',
    args: [recipe],
    options: [
      { flags: '--out <folder>', describe: 'the folder of the result (required)' },
      ...sizes,
      models,
      force,
      { flags: '--backend <name>', describe: "an engine that does the arithmetic, such as gpujs:webgpu (default: this processor's loops)" }, // prettier-ignore
      { flags: '--restart', describe: 'begin anew instead of going on' },
      { flags: '--allow-nan', describe: 'write NaN and infinities instead of refusing' },
      { flags: '--no-verify', describe: 'do not read the result again to compare hashes' },
    ],
    examples: [
      'merge run ties.yml --out merged',
      'merge run soup.yml --out soup --models ~/models --threads 2',
      'merge run ties.yml --out merged --backend gpujs:webgpu',
    ],
    run: async (call, host) => (await import('./commands/run.node.js')).runMerge(call, host),
  },
  {
    name: 'merge diff',
    describe: 'How two models differ, tensor by tensor.',
    args: [
      { name: 'first', describe: 'a model', required: true },
      { name: 'second', describe: 'another', required: true },
    ],
    options: [models],
    examples: ['merge diff base tuned'],
    run: async call => (await import('./commands/diff.node.js')).runDiff(call),
  },
  {
    name: 'merge explain',
    describe:
      'What a merge did: norms, cosines of task vectors, sign conflicts, retained mass; as a table and a heat map.',
    args: [{ name: 'merged', describe: 'the folder of a result, or a recipe that has none yet', required: true }],
    options: [{ flags: '--html <file>', describe: 'write the heat map, a page of its own' }, models, force],
    examples: ['merge explain merged --html merged.html', 'merge explain ties.yml'],
    run: async (call, host) => (await import('./commands/explain.node.js')).runExplain(call, host),
  },
  {
    name: 'merge verify',
    describe: 'Compare the bytes of a result with the hashes that were written when it was made.',
    args: [{ name: 'merged', describe: 'the folder of a result', required: true }],
    options: [],
    examples: ['merge verify merged'],
    run: async call => (await import('./commands/verify.node.js')).runVerify(call),
  },
  {
    name: 'merge extract-lora',
    describe: 'An adapter of low rank out of a fine-tuned model and its base.',
    args: [
      { name: 'base', describe: 'the model before', required: true },
      { name: 'model', describe: 'the model after', required: true },
    ],
    options: [
      { flags: '--out <folder>', describe: 'the folder of the adapter (required)' },
      { flags: '--rank <n>', describe: 'rank at most (default: 32)' },
      { flags: '--least <x>', describe: 'leave out singular values up to this (default: 0)' },
      { flags: '--include <part>', describe: 'only tensors with this in their names', many: true },
      { flags: '--exclude <part>', describe: 'no tensors with this in their names', many: true },
      models,
      force,
    ],
    examples: ['merge extract-lora base tuned --rank 16 --out adapter'],
    run: async call => (await import('./commands/extract.node.js')).runExtract(call),
  },
  {
    name: 'merge methods',
    describe: 'The methods that recipes can name, with their parameters.',
    options: [],
    examples: ['merge methods'],
    run: async (call, host) => (await import('./commands/methods.node.js')).runMethods(call, host),
  },
];
