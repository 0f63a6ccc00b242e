/** TensorFlow.js on its wasm backend, ready to compute. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Through `require`: its ES modules do not load in Node. @throws where it is not installed */
export async function openTensorFlow() {
  const require = createRequire(import.meta.url);
  const backend = require('@tensorflow/tfjs-backend-wasm');
  const tf = require('@tensorflow/tfjs');
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  backend.setWasmPaths(`${join(dirname(dirname(entry)), 'wasm-out')}/`);
  await tf.setBackend('wasm');
  await tf.ready();
  return tf;
}
