/**
 * Times the engine from inside: every native call that Heddle makes through koffi off the main thread is watched, so
 * that what is left of a step is host work. No hooks in the product are needed for it.
 */

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Must be called before the backend is opened.
 *
 * @returns {Promise<{ spent: number, last: null | (() => void) }>} time in native calls so far, in milliseconds, and the last call again, synchronously
 */
export async function watchEngine() {
  const koffi = await backendsKoffi();
  const watched = { spent: 0, last: null };
  const decode = koffi.decode;
  const wrap = native =>
    new Proxy(native, {
      get(target, property) {
        if (property !== 'async') return Reflect.get(target, property);
        return (...args) => {
          const inputs = args.slice(0, -1);
          const callback = args.at(-1);
          const from = performance.now();
          target.async(...inputs, (error, result) => {
            watched.spent += performance.now() - from;
            // Run options end with their run; without any, the engine takes its defaults.
            watched.last = () => {
              const failed = target(...inputs.map((x, i) => (i === 1 && inputs.length === 3 ? null : x)));
              if (failed) throw new Error('the engine refused to run again');
            };
            callback(error, result);
          });
        };
      },
    });
  koffi.decode = (...args) => {
    const decoded = decode(...args);
    return typeof decoded === 'function' ? wrap(decoded) : decoded;
  };
  return watched;
}

/** The very module that the backend imports, as an ES module: it is no dependency of ours. */
async function backendsKoffi() {
  const backend = createRequire(createRequire(import.meta.url).resolve('@heddle/backend-onnx/package.json'));
  const { default: koffi } = await import(pathToFileURL(join(dirname(backend.resolve('koffi')), 'index.js')).href);
  return koffi;
}
