/**
 * Speed and memory of merging: `node scripts/bench.mjs DIR [linear|ties|both] [--rounds N] [--numpy] [--cold] [--threads N]`.
 *
 * DIR holds m0 .. m3 of scripts/make-models.mjs. By turns: reading all inputs and writing as much as one of them (with
 * fsync) and nothing else; the merge, with its hashes, fsync and reading back; with --numpy the same merge in numpy, one
 * process. Prints medians and ratios. --cold drops the system's cache before each (needs root).
 */

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [folder, ...rest] = process.argv.slice(2);
const valueOf = (name, otherwise) => (rest.includes(name) ? Number(rest[rest.indexOf(name) + 1]) : otherwise);
const rounds = valueOf('--rounds', 3);
const threads = valueOf('--threads', 2);
const wanted = ['linear', 'ties'].filter(
  name => rest.includes(name) || !rest.some(one => ['linear', 'ties'].includes(one)),
);
const models = [0, 1, 2, 3].map(i => join(folder, `m${i}`));
const files = models.map(model =>
  readdirSync(model)
    .filter(name => name.endsWith('.safetensors'))
    .map(name => join(model, name)),
);
const sizeOf = paths => paths.reduce((n, path) => n + statSync(path).size, 0);
const read = sizeOf(files.flat());
const written = sizeOf(files[0]);

const recipes = {
  linear: `merge_method: linear\nmodels:\n${models.map((_, i) => `  - {model: m${i}, parameters: {weight: ${0.4 - i / 10}}}`).join('\n')}\n`,
  ties: `merge_method: ties\nbase_model: m0\nmodels:\n${[1, 2, 3].map(i => `  - {model: m${i}, parameters: {weight: ${0.4 - i / 10}, density: 0.5}}`).join('\n')}\n`,
};

const cold = () => {
  if (rest.includes('--cold')) writeFileSync('/proc/sys/vm/drop_caches', '3');
};
const timed = act => {
  spawnSync('sync');
  cold();
  const start = performance.now();
  const result = act();
  return { seconds: (performance.now() - start) / 1000, ...result };
};

/** Nothing but the disk: 8 MB at a time, file after file, then as much as one model out. */
function raw() {
  const chunk = Buffer.alloc(8 << 20, 1);
  for (const path of files.flat()) {
    const handle = openSync(path, 'r');
    while (readSync(handle, chunk) > 0);
    closeSync(handle);
  }
  const out = join(folder, 'raw.tmp');
  const handle = openSync(out, 'w');
  for (let done = 0; done < written;) done += writeSync(handle, chunk, 0, Math.min(chunk.length, written - done));
  fsyncSync(handle);
  closeSync(handle);
  rmSync(out);
}

const child = (command, args) => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 26 });
  if (status !== 0) throw new Error(stderr || stdout);
  return stdout.trim().split('\n').at(-1);
};
const script = name => fileURLToPath(new URL(name, import.meta.url));

function heddle(recipe) {
  const path = join(folder, 'recipe.yml');
  writeFileSync(path, recipe);
  const { rss } = JSON.parse(
    child(process.execPath, [script('merge-once.mjs'), path, join(folder, 'out'), String(threads)]),
  );
  rmSync(join(folder, 'out'), { recursive: true });
  return { rss };
}
const numpy = method => ({ rss: Number(child('python3', [script('merge-numpy.py'), folder, method])) });

const median = all => all.toSorted((a, b) => a - b)[Math.floor(all.length / 2)];
console.log(
  `${(read / 1e9).toFixed(1)} GB read, ${(written / 1e9).toFixed(1)} GB written, ${rounds} rounds, ${threads} threads${rest.includes('--cold') ? ', cold cache' : ''}`,
);
for (const method of wanted) {
  const contestants = {
    'read and write': () => raw() ?? {},
    heddle: () => heddle(recipes[method]),
    ...(rest.includes('--numpy') ? { numpy: () => numpy(method) } : {}),
  };
  const results = Object.fromEntries(Object.keys(contestants).map(name => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, act] of Object.entries(contestants)) results[name].push(timed(act));
  const base = median(results['read and write'].map(one => one.seconds));
  for (const [name, all] of Object.entries(results)) {
    const seconds = median(all.map(one => one.seconds));
    const rss = Math.max(...all.map(one => one.rss ?? 0));
    console.log(
      `${method.padEnd(7)} ${name.padEnd(15)} ${seconds.toFixed(2).padStart(7)} s  ${((read + written) / 1e9 / seconds).toFixed(2)} GB/s  ${(seconds / base).toFixed(2)} x${rss ? `  ${Math.round(rss)} MB` : ''}`,
    );
  }
}
