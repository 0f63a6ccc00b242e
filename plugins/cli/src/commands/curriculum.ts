import type { Command } from '@heddle/core';
import { trackerOption } from '../trackers.js';

export const curriculum: Command = {
  name: 'curriculum',
  describe:
    'Teach a model to think in parallel paths: arithmetic, a cold start, then reinforcement learning on easy and harder problems. A stopped run goes on.',
  options: [
    {
      flags: '--preset <names>',
      describe: 'curricula by name, with commas; beside tiny those of the paper (default: tiny,tiny-sequential)',
    },
    { flags: '--config <file>', describe: 'a curriculum of your own, as JSON' },
    { flags: '--model <folder>', describe: 'a trained decoder to begin with (default: a small model of its own)' },
    {
      flags: '--problems <name=file...>',
      describe: 'problems as JSON lines or parquet, by the names in stages',
      many: true,
    },
    {
      flags: '--teacher <url>',
      describe: 'a server that solves problems for stages that gather, such as http://localhost:8000/v1',
    },
    { flags: '--teacher-model <name>', describe: 'the model to ask it for' },
    { flags: '--key-from <variable>', describe: 'environment variable that holds its key (default: OPENAI_API_KEY)' },
    { flags: '--at-once <n>', describe: 'solutions asked for at once (default: 8)' },
    { flags: '--width <n>', describe: 'of a model of its own (default: 128)' },
    { flags: '--depth <n>', describe: 'blocks of a model of its own (default: 3)' },
    { flags: '--seed <n>', describe: "all randomness comes from it (default: the curriculum's)" },
    { flags: '--backend <name>', describe: 'an engine by name (see heddle doctor), or auto (default: auto)' },
    trackerOption,
    { flags: '--out <folder>', describe: 'where the run lives (default: .heddle/curriculum)' },
    { flags: '--plan', describe: 'say what would run and what is there already, and run nothing' },
    { flags: '--fresh', describe: 'begin anew; the run that is there is kept as FOLDER.before' },
  ],
  examples: [
    'curriculum',
    'curriculum --plan',
    'curriculum --preset tiny --seed 1 --out runs/paths-1',
    'curriculum --config mine.json --model runs/base --problems easy=easy.jsonl hard=hard.parquet',
    'curriculum --config mine.json --teacher http://localhost:8000/v1 --teacher-model qwen --problems gsm8k=train.jsonl',
  ],
  run: async (call, host) => (await import('./curriculum.run.js')).runCurriculum(call, host),
};
