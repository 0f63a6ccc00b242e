/** What the numbers were measured on. */

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import { repository } from './paths.mjs';

const versionOf = (require, name) => {
  try {
    return require(`${name}/package.json`).version;
  } catch {
    return null;
  }
};

function commit() {
  try {
    const git = (...args) =>
      execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'packages', 'plugins') === '' ? '' : ' with changes'}`;
  } catch {
    return null;
  }
}

/** Instructions that decide how fast a product of matrices can be. */
function vectors() {
  try {
    const flags = new Set(
      readFileSync('/proc/cpuinfo', 'utf8')
        .match(/^flags\s*:(.*)$/m)[1]
        .split(' '),
    );
    return ['avx2', 'fma', 'avx512f', 'avx512_bf16'].filter(f => flags.has(f));
  } catch {
    return [];
  }
}

/** Names of the graphics cards, where NVIDIA's tool tells; null elsewhere. */
function graphics() {
  try {
    const args = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    return execFileSync('nvidia-smi', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}

export function machine({ torches }) {
  const require = createRequire(createRequire(import.meta.url).resolve('@heddle/backend-onnx/package.json'));
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    vectors: vectors(),
    graphics: graphics(),
    memoryGB: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()} ${arch()}`,
    node: process.version,
    versions: {
      heddle: commit(),
      'onnxruntime-node': versionOf(require, 'onnxruntime-node'),
      koffi: versionOf(require, 'koffi'),
      webgpu: versionOf(createRequire(import.meta.url), 'webgpu'),
      ...Object.fromEntries(
        torches.map((t, i) => [`PyTorch${i === 0 ? '' : ` (${i + 1})`}`, `${t.version}, ${t.blas}`]),
      ),
    },
    loadBefore: loadavg()[0],
  };
}
