/**
 * Speed and memory of merging: `node scripts/bench.mjs DIR [linear|ties|both] [--rounds N] [--numpy] [--cold] [--threads N]`.
 *
 * DIR holds m0 .. m3 of scripts/make-models.mjs. By turns: reading all inputs and writing as much as one of them (with
 * fsync) and nothing else; the merge, with its hashes, fsync and reading back; with --numpy the same merge in numpy, one
 * process. Prints medians and ratios. --cold drops the system's cache before each (needs root).
 */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { compare, heddle, lastLine, readAndWrite, script } from './measure.mjs';

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

const numpy = method => ({ rss: Number(lastLine('python3', [script('merge-numpy.py'), folder, method])) });
const cold = rest.includes('--cold');
console.log(
  `${(read / 1e9).toFixed(1)} GB read, ${(written / 1e9).toFixed(1)} GB written, ${rounds} rounds, ${threads} threads${cold ? ', cold cache' : ''}`,
);
for (const method of wanted)
  compare(
    method,
    {
      'read and write': () => readAndWrite(files.flat(), written, folder),
      heddle: () => heddle(recipes[method], folder, threads),
      ...(rest.includes('--numpy') ? { numpy: () => numpy(method) } : {}),
    },
    { rounds, cold, bytes: read + written },
  );
