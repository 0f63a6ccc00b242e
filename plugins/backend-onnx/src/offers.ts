/** What `heddle doctor` and `auto` see: which of ONNX Runtime's providers can run here. */

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { f32, trace, type BackendOffer } from '@heddle/core';
import { openOnnx, ortVersion, type OnnxOptions } from './open.js';

const offer = (provider: 'cpu' | 'webgpu' | 'cuda', why: () => Promise<string | null>): BackendOffer => ({
  name: `onnx:${provider}`,
  unavailable: why,
  describe: async () => ({ 'onnxruntime-node': ortVersion(), threads: availableParallelism() }),
  open: options => openOnnx({ ...(options as OnnxOptions | undefined), provider }),
});

/** Runs `x + x` once: a provider that loads may still have no device. */
async function tries(provider: 'cpu' | 'webgpu' | 'cuda'): Promise<string | null> {
  try {
    const backend = await openOnnx({ provider, threads: 1 });
    try {
      const executable = await backend.compile(trace({ x: f32(4) }, ({ x }) => ({ y: x.add(x) })));
      const { outputs } = await executable.run({ x: { dtype: 'f32', shape: [4], data: Float32Array.of(1, 2, 3, 4) } });
      const y = outputs['y']!.data;
      return [2, 4, 6, 8].every((n, i) => n === y[i])
        ? null
        : `computes wrongly: 1..4 doubled gave ${[...y].join(', ')}`;
    } finally {
      await backend.close();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function hasLibrary(part: string): boolean {
  const bin = join(dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json')), 'bin');
  const folders = existsSync(bin)
    ? readdirSync(bin).map(version => join(bin, version, process.platform, process.arch))
    : [];
  return folders.some(folder => existsSync(folder) && readdirSync(folder).some(name => name.includes(part)));
}

export const offers: readonly BackendOffer[] = [
  offer('cpu', () => tries('cpu')),
  offer('webgpu', () => tries('webgpu')),
  offer('cuda', async () =>
    hasLibrary('providers_cuda')
      ? tries('cuda')
      : 'the CUDA provider is not installed: onnxruntime-node fetches it in its install script when asked to',
  ),
];
