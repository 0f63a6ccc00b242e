import { createRequire } from 'node:module';
import { conformPlugin, type PackageJson } from '@heddle/core/testing';
import plugin from './index.js';

// Every mode that runs here keeps the laws of engines; the others are skipped, with the reason.
conformPlugin(plugin, {
  packageJson: createRequire(import.meta.url)('../package.json') as PackageJson,
  load: () => import('./index.js'),
  backends: { 'gpujs:webgpu': { graphs: 4 } },
});
