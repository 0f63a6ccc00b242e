/** Opens gpu.js in one of its modes. */

import { fail, type Backend } from '@heddle/core';
import { GpujsBackend, type BackendSettings } from './backend.js';
import { openCpu } from './engines/cpu.js';
import { openWebasm } from './engines/webasm.js';
import type { Engine } from './engines/engine.js';
import type { Mode } from './gpujs/adapter.js';

export interface GpujsOptions extends BackendSettings {
  /** Default `webasm`. */
  readonly mode?: Mode;
}

export async function openGpujs({ mode = 'webasm', ...settings }: GpujsOptions = {}): Promise<Backend> {
  return new GpujsBackend(await engineOf(mode), settings);
}

async function engineOf(mode: Mode): Promise<Engine> {
  switch (mode) {
    case 'cpu':
      return openCpu();
    case 'webasm':
      return openWebasm();
    default:
      return fail('E_UNAVAILABLE', `gpujs:${mode}: not here yet.`, {});
  }
}
