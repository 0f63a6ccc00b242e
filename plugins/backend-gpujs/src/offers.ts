/** What `heddle doctor` and `auto` see: the modes that can run here, and why the others cannot. */

import type { BackendOffer } from '@heddle/core';
import { pinned, type Mode } from './gpujs/adapter.js';
import { findGpu, openGpujs, type GpujsOptions } from './open.js';

/** Opens it and runs the self-test: a mode that loads may still have no device. */
async function tries(mode: Mode): Promise<string | null> {
  try {
    await (await openGpujs({ mode })).close();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function adapterWords(): Promise<Readonly<Record<string, string>>> {
  const { info } = (await (await findGpu()).requestAdapter()) ?? {};
  return info ? { adapter: `${info.vendor} ${info.architecture}`.trim() } : {};
}

const offer = (mode: Mode): BackendOffer => ({
  name: `gpujs:${mode}`,
  unavailable: () => tries(mode),
  describe: async () => ({ 'gpu.js': pinned, ...(mode === 'webgpu' ? await adapterWords() : {}) }),
  open: options => openGpujs({ ...(options as GpujsOptions | undefined), mode }),
});

/** From the fastest to the one that runs everywhere. */
export const offers: readonly BackendOffer[] = (['webgpu', 'webgl2', 'webasm', 'cpu'] as const).map(offer);
