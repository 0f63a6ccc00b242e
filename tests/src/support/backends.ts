/** The engines that can run here on the CPU, and why the others cannot. */

import { BACKENDS, createHost, isHeddleError, openReference, type Backend } from '@heddle/core';
import { openOnnx } from '@heddle/backend-onnx';
import gpujs, { openGpujs, type Mode } from '@heddle/backend-gpujs';

export interface Here {
  readonly name: string;
  open(): Promise<Backend>;
  /** null when it can run; otherwise the reason, for the name of the skipped check. */
  readonly missing: string | null;
}

const onnx = (binding: 'c-api' | 'worker') => (): Promise<Backend> => openOnnx({ threads: 1, binding });

async function reasonOf(open: () => Promise<Backend>): Promise<string | null> {
  try {
    await (await open()).close();
    return null;
  } catch (error) {
    if (isHeddleError(error) && error.code === 'E_ENGINE') return error.message;
    throw error;
  }
}

/** One thread each, so that sums are added up in one order. */
export const onnxBackends: readonly Here[] = [
  { name: 'onnx:cpu over the C API', open: onnx('c-api'), missing: await reasonOf(onnx('c-api')) },
  { name: 'onnx:cpu in a worker', open: onnx('worker'), missing: await reasonOf(onnx('worker')) },
];

const host = createHost({ plugins: [gpujs] });

/** The modes of gpu.js that need no browser; WebGPU where an adapter answers, a software one for instance. */
export const gpujsBackends: readonly Here[] = await Promise.all(
  (['cpu', 'webasm', 'webgpu'] satisfies Mode[]).map(async mode => ({
    name: `gpujs:${mode}`,
    open: () => openGpujs({ mode }),
    missing: await host.find(BACKENDS, `gpujs:${mode}`).unavailable(),
  })),
);

export const everyBackend: readonly Here[] = [
  { name: 'reference', open: async () => openReference(), missing: null },
  ...onnxBackends,
  ...gpujsBackends,
];

/** Says aloud what is not checked: a skipped check must not look like one that passed. */
export function present(backends: readonly Here[]): readonly Here[] {
  for (const { name, missing } of backends) if (missing !== null) console.warn(`skipped: ${name}: ${missing}`);
  return backends.filter(({ missing }) => missing === null);
}
