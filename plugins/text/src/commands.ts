/** The commands of `heddle text`: descriptions only; what they do is loaded when they run. */

import type { Command, CommandOption } from '@heddle/core';

const corpora = {
  name: 'corpora',
  describe:
    'FILE.tsv, FILE.tsv:SOURCE:TARGET (columns by name or number), FILE.jsonl:SOURCE:TARGET (fields), FILE+FILE (line by line), catalogs:en-de (message catalogs of this machine), FILE.m2 (edits), grammar:en-de:50000, summaries:en, corrections:en (generated)',
  required: true,
  many: true,
} as const;

const filters: readonly CommandOption[] = [
  { flags: '--longest <n>', describe: 'drop pairs with more characters on a side' },
  { flags: '--ratio <x>', describe: 'drop pairs with one side so many times as long as the other' },
  {
    flags: '--duplicates <what>',
    describe: 'pair: each pair once; source: each source once; keep (default: pair)',
    choices: ['pair', 'source', 'keep'],
  },
];

export const commands: readonly Command[] = [
  {
    name: 'text train-tokenizer',
    describe: 'Train a tokeniser on documents or on both sides of parallel corpora.',
    args: [
      {
        name: 'texts',
        describe: 'files and folders of text, JSON lines with a field `text`, or corpora as of `text inspect`',
        required: true,
        many: true,
      },
    ],
    options: [
      {
        flags: '--kind <kind>',
        describe: 'bpe: byte pairs; unigram: pieces by probability (default: bpe)',
        choices: ['bpe', 'unigram'],
      },
      { flags: '--size <n>', describe: 'tokens, specials and bytes included (default: 8000)' },
      { flags: '--specials <names...>', describe: 'default: <bos> <eos> <pad>', many: true },
      { flags: '--languages <codes...>', describe: 'adds a tag for each: <2de>', many: true },
      { flags: '--out <file>', describe: 'default: tokenizer.json' },
      { flags: '--force', describe: 'replace a file that is there' },
    ],
    examples: [
      'text train-tokenizer book.txt --size 4000',
      'text train-tokenizer catalogs:en-de --kind unigram --size 8000 --out en-de.json',
    ],
    run: async call => (await import('./commands/train-tokenizer.node.js')).runTrainTokenizer(call),
  },
  {
    name: 'text inspect',
    describe: 'Say what a parallel corpus holds: pairs kept and dropped, lengths, shapes of batches, padding.',
    args: [corpora],
    options: [
      { flags: '--tokenizer <file>', describe: 'ours, tokenizer.json, or a SentencePiece model (default: bytes)' },
      { flags: '--tokens <n>', describe: 'tokens of a batch (default: 4096)' },
      { flags: '--buckets <n>', describe: 'shapes of batches (default: 6)' },
      { flags: '--longest-tokens <n>', describe: 'drop pairs with more tokens on a side (default: 256)' },
      { flags: '--temperature <x>', describe: 'of drawing from several corpora (default: 1)' },
      { flags: '--examples <n>', describe: 'pairs to show of each corpus (default: 3)' },
      ...filters,
    ],
    examples: [
      'text inspect catalogs:en-de',
      'text inspect train.tsv:en:de --tokenizer en-de.json --buckets 8',
      'text inspect train.en+train.de --json',
    ],
    run: async call => (await import('./commands/inspect.node.js')).runInspect(call),
  },
  {
    name: 'text prepare',
    describe: 'Write a corpus as JSON lines in three parts that share no source: train, validation, test.',
    args: [corpora],
    options: [
      { flags: '--out <folder>', describe: 'where the files go (required)' },
      { flags: '--validation <share>', describe: 'default: 0.02' },
      { flags: '--test <share>', describe: 'default: 0.02' },
      { flags: '--seed <n>', describe: 'of the split (default: 0)' },
      { flags: '--force', describe: 'replace files that are there' },
      ...filters,
    ],
    examples: ['text prepare catalogs:en-de --out en-de', 'text prepare grammar:en-fr:50000 --out en-fr --test 0.05'],
    run: async call => (await import('./commands/prepare.node.js')).runPrepare(call),
  },
  {
    name: 'text catalogs',
    describe: 'List the languages that this machine has message catalogs of.',
    options: [{ flags: '--root <folders...>', describe: 'look there instead', many: true }],
    examples: ['text catalogs'],
    run: async call => (await import('./commands/catalogs.node.js')).runCatalogs(call),
  },
];
