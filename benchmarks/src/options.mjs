/** The command line of the benchmarks. */

import { parseArgs } from 'node:util';

const names = [
  'sgemm',
  'step',
  'architecture',
  'decode',
  'compile',
  'overhead',
  'memory',
  'score',
  'policy',
  'rollout',
  'translate',
  'fork',
  'adapter',
  'routing',
  'device',
  'bundle',
];
/** Of hours: only where they are asked for. */
const long = ['multi30k'];

export const usage = `Usage: npm run bench -- [options]

Measures Heddle beside other libraries, taking turns in one run.

  --only NAMES      ${names.join(', ')}; all of these by default
                    ${long.join(', ')}: of hours, only where named
  --threads LIST    threads of one operator; 1,2 by default
  --minutes M       time for a full run; 12 by default. Fewer benchmarks take less. Of multi30k: of each model
  --seeds LIST      runs of each model of multi30k; 1 by default
  --quick           small sizes and few rounds: tries the suite, measures nothing, writes no files
  --steps N         steps of the memory benchmark; 4000 by default, the first half to settle
  --no-slow         without contestants that take a minute a step (tfjs-wasm, jax-js in the reference step)
  --json            prints the results as JSON instead of tables
  --install-peers   installs the JavaScript peers into benchmarks/peers/node_modules, then ends

HEDDLE_BENCH_PYTHON=PATH[,PATH]   interpreters that may have PyTorch, sacreBLEU or rouge_score; every python3 on the PATH by default
`;

const fail = message => {
  process.stderr.write(`${message}\n\n${usage}`);
  process.exit(2);
};

const list = text =>
  text
    .split(',')
    .map(s => s.trim())
    .filter(Boolean);

/** @returns the options, or ends the process with the reason */
export function readOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        only: { type: 'string' },
        threads: { type: 'string', default: '1,2' },
        minutes: { type: 'string', default: '12' },
        seeds: { type: 'string', default: '1' },
        steps: { type: 'string' },
        quick: { type: 'boolean', default: false },
        'no-slow': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'install-peers': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return fail(error.message);
  }
  const only = values.only === undefined ? names : list(values.only);
  const unknown = only.filter(name => ![...names, ...long].includes(name));
  if (unknown.length > 0)
    fail(`--only: expected names among ${[...names, ...long].join(', ')}; received ${unknown.join(', ')}.`);
  const threads = list(values.threads).map(Number);
  if (threads.length === 0 || threads.some(n => !Number.isInteger(n) || n < 1))
    fail(`--threads: expected whole numbers from 1 up, received ${values.threads}.`);
  const seeds = list(values.seeds).map(Number);
  if (seeds.length === 0 || seeds.some(n => !Number.isInteger(n) || n < 0))
    fail(`--seeds: expected whole numbers from 0 up, received ${values.seeds}.`);
  const minutes = Number(values.minutes);
  if (!(minutes > 0)) fail(`--minutes: expected a number above 0, received ${values.minutes}.`);
  const steps = Number(values.steps ?? (values.quick ? 100 : 4000));
  if (!(Number.isInteger(steps) && steps >= 40))
    fail(`--steps: expected a whole number from 40 up, received ${values.steps}.`);
  return {
    only,
    threads,
    minutes,
    seeds,
    steps,
    quick: values.quick,
    slow: !values['no-slow'] && !values.quick,
    json: values.json,
    installPeers: values['install-peers'],
    help: values.help,
  };
}
