import { conformBackend } from '@heddle/core/testing';
import { openGpujs } from './open.js';

conformBackend(() => openGpujs({ mode: 'cpu' }), { graphs: 6 }, 'gpujs:cpu');
conformBackend(() => openGpujs({ mode: 'webasm' }), { graphs: 6 }, 'gpujs:webasm');
