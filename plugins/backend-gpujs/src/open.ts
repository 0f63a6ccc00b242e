/** Opens gpu.js in one of its modes. */

import { fail, type Backend } from '@heddle/core';
import { GpujsBackend, type BackendSettings } from './backend.js';
import { openCpu } from './engines/cpu.js';
import type { Engine } from './engines/engine.js';
import { openWebasm } from './engines/webasm.js';
import { openWebgl2 } from './engines/webgl2.js';
import { openWebgpuEngine, type WebgpuOptions } from './engines/webgpu.js';
import type { Mode } from './gpujs/adapter.js';
import { selfTest } from './self-test.js';

export interface GpujsOptions extends BackendSettings, WebgpuOptions {
  /** Default `webasm`. */
  readonly mode?: Mode;
}

/** @throws E_UNAVAILABLE where the mode cannot run, with the reason; E_DEVICE_WRONG where it computes wrongly */
export async function openGpujs({
  mode = 'webasm',
  device,
  adapter,
  profile = false,
  ...settings
}: GpujsOptions = {}): Promise<Backend> {
  const engine = await engineOf(mode, { ...(device ? { device } : {}), ...(adapter ? { adapter } : {}), profile });
  const backend = new GpujsBackend(engine, settings);
  try {
    const device = `${engine.name} ${engine.about}`;
    if (!trusted.has(device)) await selfTest(backend);
    trusted.add(device);
    return backend;
  } catch (error) {
    await backend.close();
    throw error;
  }
}

/** Devices that passed the self-test in this process. */
const trusted = new Set<string>();

async function engineOf(mode: Mode, options: WebgpuOptions): Promise<Engine> {
  switch (mode) {
    case 'cpu':
      return openCpu();
    case 'webasm':
      return openWebasm();
    case 'webgpu':
      return openWebgpuEngine(await findGpu(), options);
    case 'webgl2':
      return openWebgl2();
  }
}

/** Kept reachable: when the object that the `webgpu` package gives is collected, the process dies. */
let ours: GPU | null = null;

/** The browser's, or that of the npm package `webgpu`. */
export async function findGpu(): Promise<GPU> {
  const { navigator } = globalThis as { readonly navigator?: { readonly gpu?: GPU } };
  if (navigator?.gpu) return navigator.gpu;
  if (ours) return ours;
  if (typeof process !== 'object')
    return fail('E_UNAVAILABLE', 'gpujs:webgpu: this browser has no WebGPU. Use gpujs:webgl2.', {});
  const name = 'webgpu'; // a bundler for browsers must not look for it
  try {
    const { create } = (await import(name)) as { create(options: readonly string[]): GPU };
    // Stamps are coarse by default, for the sake of pages' secrets; here there are none.
    return (ours = create(['disable-dawn-features=timestamp_quantization']));
  } catch (error) {
    return fail(
      'E_UNAVAILABLE',
      `gpujs:webgpu: expected the npm package 'webgpu', received: ${error instanceof Error ? error.message.split('\n')[0] : String(error)}. Install webgpu 0.6 beside this one.`,
      {},
      error,
    );
  }
}
