import type { Command } from '@heddle/core';
import { benchmarks } from '../benchmark/problems.js';
import { prompts } from '../benchmark/prompts.js';

export const evalMath: Command = {
  name: 'eval-math run',
  describe: 'Run a math benchmark against a server or grade a file of completions; writes scores and an HTML report.',
  options: [
    { flags: '--benchmark <name>', describe: `one of ${benchmarks.map(({ name }) => name).join(', ')}` },
    { flags: '--data <folder>', describe: 'where the files of benchmarks are (default: ../shared/data/math)' },
    {
      flags: '--problems <file>',
      describe: 'problems of your own: JSON lines or parquet with a question and an answer',
    },
    {
      flags: '--completions <file>',
      describe: 'grade these: JSON lines or parquet with the id of a problem and a completion',
    },
    {
      flags: '--server <url>',
      describe: 'generate with an OpenAI-compatible server, such as http://localhost:8000/v1',
    },
    { flags: '--model <name>', describe: 'the model to ask the server for; for a file, a name to show' },
    {
      flags: '--key-from <variable>',
      describe: 'environment variable that holds the key of the server (default: OPENAI_API_KEY)',
    },
    {
      flags: '--prompt <name>',
      describe: 'what is put around a problem',
      choices: prompts.map(({ name }) => name),
      default: 'boxed',
    },
    {
      flags: '--samples <k>',
      describe: 'completions for each problem (default: what results of the benchmark are given with)',
    },
    { flags: '--temperature <x>', describe: '0 takes the likeliest token (default: 0 for one sample, 0.6 for more)' },
    { flags: '--top-p <x>', describe: 'nucleus sampling (default: 1)' },
    { flags: '--max-tokens <n>', describe: 'tokens of one completion (default: 2048)' },
    { flags: '--seed <n>', describe: 'of the first sample; the next ones count up (default: 0)' },
    { flags: '--concurrency <n>', describe: 'requests at once (default: 8)' },
    { flags: '--deadline <seconds>', describe: 'for one request (default: 600)' },
    { flags: '--limit <n>', describe: 'only the first n problems' },
    { flags: '--out <folder>', describe: 'where to write (default: eval/NAME)' },
    { flags: '--lenient', describe: 'grade leniently: percent signs and brackets may be left out' },
  ],
  examples: [
    'eval-math run --benchmark math500 --server http://localhost:8000/v1 --model qwen --samples 4',
    'eval-math run --benchmark amc23 --completions completions.jsonl --out eval/amc23',
    'eval-math run --problems mine.parquet --server http://localhost:8000/v1 --model qwen --limit 50',
  ],
  run: async (call, host) => (await import('./eval-math.run.node.js')).runEvalMath(call, host),
};

export const compareRuns: Command = {
  name: 'eval-math compare',
  describe: 'Compare two evaluations of the same problems by a paired test.',
  args: [
    { name: 'first', describe: 'a folder that eval-math run wrote', required: true },
    { name: 'second', describe: 'another one', required: true },
  ],
  options: [],
  examples: ['eval-math compare eval/before eval/after'],
  run: async (call, host) => (await import('./eval-math.run.node.js')).runCompare(call, host),
};
