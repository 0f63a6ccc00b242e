import { conformBackend, conformPlugin } from '@heddle/core/testing';
import plugin from './index.js';
import { openOnnx } from './open.js';

conformPlugin(plugin);
conformBackend(() => openOnnx({ threads: 1, binding: 'c-api' }), {}, 'onnx:cpu over the C API');
conformBackend(() => openOnnx({ threads: 1, binding: 'worker' }), { graphs: 3 }, 'onnx:cpu in a worker');
