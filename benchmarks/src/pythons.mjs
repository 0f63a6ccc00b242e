/** Finds Python interpreters that have PyTorch. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { folder } from './paths.mjs';

const execute = promisify(execFile);

/** Interpreters to try: those named, else every python3 on the PATH. */
export const candidates = () => {
  const named = process.env.HEDDLE_BENCH_PYTHON;
  if (named)
    return named
      .split(',')
      .map(s => s.trim())
      .filter(Boolean);
  const onPath = (process.env.PATH ?? '').split(delimiter).map(dir => join(dir, 'python3'));
  return [...new Set(onPath)].filter(existsSync);
};

async function probe(program) {
  try {
    const { stdout } = await execute(program, [folder('peers', 'torch_probe.py')], { timeout: 120_000 });
    return { program, ...JSON.parse(stdout.trim().split('\n').at(-1)) };
  } catch (error) {
    return { program, missing: error.message.split('\n')[0] };
  }
}

/**
 * @typedef {object} Torch
 * @property {string} program
 * @property {string} version
 * @property {string} blas
 * @property {boolean} fused
 */

/** @returns {Promise<{ torches: Torch[], why: string | null }>} newest first; `why` there are none */
export async function findTorches() {
  const tried = [];
  // One interpreter often has several paths: the first by its prefix counts.
  const seen = new Set();
  for (const program of candidates()) {
    const found = await probe(program);
    if (seen.has(found.prefix)) continue;
    if (found.prefix) seen.add(found.prefix);
    tried.push(found);
  }
  const torches = tried
    .filter(t => t.missing === undefined)
    .toSorted((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
  const why =
    tried.length === 0
      ? 'no python3 on the PATH; name one in HEDDLE_BENCH_PYTHON'
      : tried.map(t => t.missing).join('; ');
  return { torches, why: torches.length > 0 ? null : why };
}

/** PyTorch told to let its threads sleep: on few cores its spinning ones take the time of the others. */
export const torchEnvironment = threads => ({
  OMP_WAIT_POLICY: 'PASSIVE',
  OMP_NUM_THREADS: String(threads),
  MKL_NUM_THREADS: String(threads),
  OPENBLAS_NUM_THREADS: String(threads),
  PYTHONDONTWRITEBYTECODE: '1',
});
