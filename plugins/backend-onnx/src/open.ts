/** Opens ONNX Runtime in Node: over the C API where koffi works, else over onnxruntime-node in a worker. */

import { availableParallelism } from 'node:os';
import { createRequire } from 'node:module';
import { fail, isHeddleError, type Backend } from '@heddle/core';
import { OnnxBackend } from './backend.js';
import { openInWorker } from './engines/in-worker.js';
import { openNative } from './engines/native.js';
import type { Engine } from './engines/engine.js';

export type OnnxBinding = 'auto' | 'c-api' | 'worker';

export interface OnnxOptions {
  /** Default `cpu`. */
  readonly provider?: 'cpu' | 'webgpu' | 'cuda';
  /** Threads of one operator; all cores by default. */
  readonly threads?: number;
  /** How the library is called; `auto` prefers the C API on the CPU. */
  readonly binding?: OnnxBinding;
  /** Session configuration entries of ONNX Runtime; C API only. */
  readonly config?: Readonly<Record<string, string>>;
}

export const ortVersion = (): string =>
  (createRequire(import.meta.url)('onnxruntime-node/package.json') as { readonly version: string }).version;

/** @throws E_ENGINE when ONNX Runtime, or the asked-for way to call it, is not there */
export async function openOnnx({
  provider = 'cpu',
  threads = availableParallelism(),
  binding = 'auto',
  config = {},
}: OnnxOptions = {}): Promise<Backend> {
  if (!(Number.isInteger(threads) && threads >= 1))
    fail('E_CONFIG', `onnx: threads: expected a whole number from 1 up, received ${threads}.`, { threads });
  if (provider !== 'cpu') {
    if (binding === 'c-api')
      fail(
        'E_CONFIG',
        `onnx: the C API binding serves the CPU, received provider '${provider}'. Leave \`binding\` out.`,
        { provider },
      );
    return new OnnxBackend(await worker(provider, threads, true), false);
  }
  // One thread adds up in one order; several do not.
  const engine = await cpu(threads, binding, config);
  return new OnnxBackend(engine, true);
}

async function cpu(threads: number, binding: OnnxBinding, config: Readonly<Record<string, string>>): Promise<Engine> {
  if (binding === 'worker') return worker('cpu', threads, false);
  try {
    return await openNative({ threads, config });
  } catch (error) {
    if (binding === 'c-api' || !isHeddleError(error)) throw error;
    return worker('cpu', threads, false);
  }
}

const worker = (provider: string, threads: number, resident: boolean): Promise<Engine> =>
  openInWorker({ name: `onnx:${provider}`, provider, threads, resident }, ortVersion());
