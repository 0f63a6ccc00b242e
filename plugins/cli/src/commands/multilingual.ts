import type { Command } from '@heddle/core';
import { trackerOption } from '../trackers.js';

export const multilingual: Command = {
  name: 'multilingual',
  describe:
    'Train one small model for many languages with adapters by direction, by group and for all, merge them, and compare. A stopped run goes on.',
  options: [
    {
      flags: '--groups <name=languages...>',
      describe:
        'languages beside English in groups (default: two of three made-up ones, first=xa1,xa2,xa3 second=xb1,xb2,xb3)',
      many: true,
    },
    {
      flags: '--pairs <language=corpus...>',
      describe:
        "corpora from English by language: FILE.tsv:en:de, A.en+A.de, FILE.jsonl, catalogs:en-de, grammar:en-de (default: the machine's catalogs; for made-up languages a grammar)",
      many: true,
    },
    {
      flags: '--test-sets <name=file...>',
      describe: 'tables to test with, too: a first line of language codes, a column for each, such as ntrex=ntrex.tsv',
      many: true,
    },
    {
      flags: '--counts <n,n>',
      describe: 'train together this many languages too, to see what comes of adding some (default: all alone)',
    },
    {
      flags: '--temperature <x>',
      describe:
        'of drawing languages of unequal size: 1 as large as they are, more the small ones more often (default: 5)',
    },
    { flags: '--most <x>', describe: 'the most that a pair is drawn an epoch (default: any number of times)' },
    {
      flags: '--english-repeats <n>',
      describe:
        'in how many languages an English text is learnt as a target of one adapter (default: in all that have it)',
    },
    { flags: '--merges <names>', describe: 'some of linear,ties,ties-factors,dare-ties (default: all)' },
    {
      flags: '--search <n>',
      describe:
        'try so many TIES merges for each group, by texts kept back for it, and take the best (default: 0, none)',
    },
    { flags: '--tuning <kind>', describe: 'lora: a module is an adapter; full: it is the whole model (default: lora)' },
    { flags: '--rank <n>', describe: 'of adapters (default: 16)' },
    { flags: '--base-steps <n>', describe: 'optimizer steps of the base (default: 300)' },
    { flags: '--steps <n>', describe: 'optimizer steps for each direction that an adapter learns (default: 40)' },
    { flags: '--base-rate <x>', describe: 'the highest learning rate of the base (default: 0.003)' },
    { flags: '--rate <x>', describe: 'the highest learning rate of adapters (default: 0.01)' },
    { flags: '--tokens <n>', describe: 'tokens of a batch, either side (default: 1536)' },
    { flags: '--vocabulary <n>', describe: 'kinds of token (default: 4000, of made-up languages 1000)' },
    {
      flags: '--architecture <name>',
      describe: "encoder-decoder: a tag before the source says the direction; decoder: ALMA's prompt does (default: encoder-decoder)", // prettier-ignore
    },
    {
      flags: '--attention <name>',
      describe:
        'of the model: emha learns in fewer steps, standard makes four times as many in the same time (default: emha)',
    },
    { flags: '--width <n>', describe: 'of the model (default: 128)' },
    {
      flags: '--depth <n>',
      describe: 'blocks of encoder and decoder each, half of those of a decoder alone (default: 2)',
    },
    { flags: '--test <n>', describe: 'sentences of each direction that are translated for its score (default: 40)' },
    { flags: '--seed <n>', describe: 'all randomness comes from it (default: 0)' },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    {
      flags: '--processes <n>',
      describe:
        'processes for adapters and scores, one thread each (default: as many as processors, up to 4; 1 on other engines than onnx:cpu)',
    },
    trackerOption,
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/multilingual)' },
    { flags: '--plan', describe: 'say what would run and what is there already, and run nothing' },
    { flags: '--fresh', describe: 'begin anew; the run that is there is kept as FOLDER.before' },
  ],
  examples: [
    'multilingual',
    'multilingual --plan',
    'multilingual --groups germanic=de,sv romance=fr,es slavic=ru,uk --base-steps 20000 --steps 2000 --out runs/night',
    'multilingual --groups a=de,nl b=cs,pl,ru --pairs nl=corpus.tsv:en:nl --steps 400 --out runs/five',
  ],
  run: async (call, host) => (await import('./multilingual.run.js')).runMultilingual(call, host),
};
