import { conformBackend, conformPlugin } from '@heddle/core/testing';
import { readFileSync } from 'node:fs';
import plugin from './index.js';
import { openOnnx } from './open.js';

const packageJson = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly name: string;
  readonly version: string;
};

// onnx:cpu here is the C API; onnx:webgpu and onnx:cuda are tested where this machine has them, else skipped by name.
conformPlugin(plugin, { packageJson, load: () => import('./index.js') });
conformBackend(() => openOnnx({ threads: 1, binding: 'worker' }), { graphs: 3 }, 'onnx:cpu in a worker');
