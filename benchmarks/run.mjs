/** Measures Heddle beside other libraries: `npm run bench -- --help`. */

import { benches } from './src/benches/index.mjs';
import { installPeers } from './src/install-peers.mjs';
import { machine } from './src/machine.mjs';
import { readOptions, usage } from './src/options.mjs';
import { findTorches } from './src/pythons.mjs';
import { save, section, writeReport } from './src/results.mjs';

const args = process.argv.slice(2);
const options = readOptions(args);
// Progress goes to stderr, so that what is printed can be piped.
const log = line => process.stderr.write(`${line}\n`);

/** For the rounds at one number of threads: one benchmark alone takes as long as it would among the others. */
const secondsOf = bench => options.minutes * 60 * bench.share;

async function measure(bench, torch) {
  log(`${bench.name}: ${bench.title}`);
  const on = machine(torch);
  const from = performance.now();
  const data = await bench.run({ ...options, seconds: secondsOf(bench), torch }, log);
  return {
    name: bench.name,
    date: new Date().toISOString().slice(0, 10),
    command: ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
    machine: on,
    seconds: (performance.now() - from) / 1000,
    data,
  };
}

async function main() {
  if (options.help) return void process.stdout.write(usage);
  if (options.installPeers) return void (process.exitCode = await installPeers());
  const torch = await findTorches();
  if (torch.why !== null) log(`PyTorch is left out: ${torch.why}`);
  const results = [];
  for (const bench of benches.filter(({ name }) => options.only.includes(name))) {
    const result = await measure(bench, torch);
    results.push(result);
    if (!options.quick) save(result);
    if (!options.json) process.stdout.write(`${section(result)}\n\n`);
  }
  if (options.json) process.stdout.write(`${JSON.stringify(results)}\n`);
  if (options.quick)
    return void log('Quick: small sizes and few rounds. These numbers measure nothing; no file was written.');
  writeReport();
  log('Written: benchmarks/results and benchmarks/RESULTS.md');
}

await main();
