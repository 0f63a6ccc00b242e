/** jax-js on its wasm backend, ready to compute. */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @throws where it is not installed */
export async function openJax() {
  // It looks at `navigator`, which Node has from version 21 on.
  globalThis.navigator ??= { hardwareConcurrency: 1, userAgent: 'node' };
  const entry = createRequire(import.meta.url).resolve('@jax-js/jax');
  const jax = await import(pathToFileURL(join(dirname(entry), 'index.js')).href);
  await jax.init('wasm');
  jax.defaultDevice('wasm');
  return jax;
}
