import { conformBackend, conformPlugin } from '@heddle/core/testing';
import plugin from './index.js';
import { offers } from './offers.js';
import { openGpujs } from './open.js';

conformPlugin(plugin);
for (const mode of ['cpu', 'webasm'] as const)
  conformBackend(() => openGpujs({ mode }), { graphs: 6 }, `gpujs:${mode}`);

const missing = await offers.find(o => o.name === 'gpujs:webgpu')!.unavailable();
if (missing === null) conformBackend(() => openGpujs({ mode: 'webgpu' }), { graphs: 3 }, 'gpujs:webgpu');
else console.warn(`skipped: gpujs:webgpu: ${missing}`);
