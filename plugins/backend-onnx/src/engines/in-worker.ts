/** An engine in a worker thread, by message. For machines where the C API cannot be called, and for GPU providers. */

import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { fail, HeddleError, type ErrorCode } from '@heddle/core';
import type { Engine, Held, Program } from './engine.js';
import { firstOutputsOf } from './script.js';
import type { Ask, Reply, RunReply, Ticket, WorkerSetup } from './messages.js';

interface Waiting {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** @throws E_ENGINE when the worker cannot load onnxruntime-node */
export async function openInWorker(setup: WorkerSetup, version: string): Promise<Engine> {
  // By name, so that it is the built file also when this source runs untransformed in a test.
  const script = createRequire(import.meta.url).resolve('@heddle/backend-onnx/worker');
  const worker = new Worker(pathToFileURL(script), { workerData: setup });
  worker.unref();
  const waiting = new Map<number, Waiting>();
  let count = 0;
  let failure: HeddleError | null = null;
  /** Called when nothing is waited for any more. */
  let emptied = (): void => {};
  const die = (cause: unknown): void => {
    failure ??= new HeddleError(
      'E_ENGINE',
      `${setup.name}: expected a living worker, received one that ended: ${String(cause)}. Open the backend again.`,
      {},
      cause,
    );
    for (const { reject } of waiting.values()) reject(failure);
    waiting.clear();
    emptied();
  };
  worker.on('message', (reply: Reply) => {
    const { resolve, reject } = waiting.get(reply.id)!;
    waiting.delete(reply.id);
    if (waiting.size === 0) {
      worker.unref();
      emptied();
    }
    if ('error' in reply) {
      try {
        fail(reply.error.code as ErrorCode, reply.error.message);
      } catch (error) {
        reject(error);
      }
    } else {
      resolve(reply.result);
    }
  });
  worker.on('error', die);
  worker.on('exit', code => die(new Error(`the worker ended with code ${code}`)));
  const say = <T>(ask: Ask): Promise<T> =>
    new Promise((resolve, reject) => {
      if (failure) return reject(failure);
      waiting.set(++count, { resolve: resolve as (result: unknown) => void, reject });
      // Keeps the process alive while somebody waits, and only then.
      worker.ref();
      worker.postMessage({ id: count, ask });
    });
  const ticket = (held: Held): Ticket => held as unknown as Ticket;
  return {
    name: setup.name,
    binding: `onnxruntime-node ${version} in a worker thread`,
    threads: setup.threads,
    resident: setup.resident,
    firstOutputOnly: firstOutputsOf(setup.provider),
    async load(model, face): Promise<Program> {
      const program = await say<number>({ call: 'load', model, face });
      return {
        async run({ inputs, keep, donate, signal }) {
          // A step in the worker cannot be interrupted: an abort takes effect when it ends.
          const reply = await say<RunReply>({ call: 'run', program, inputs: inputs as never, keep, donate });
          if (signal?.aborted) {
            for (const held of Object.values(reply.kept)) await say({ call: 'release', held });
            signal.throwIfAborted();
          }
          return reply;
        },
        close: () => say({ call: 'unload', program }),
      };
    },
    hold: host => say<Ticket>({ call: 'hold', host }),
    read: held => say({ call: 'read', held: ticket(held) }),
    release: held => void say({ call: 'release', held: ticket(held) }).catch(() => {}),
    async close() {
      // Ended inside native code, the worker would take the whole process with it.
      if (waiting.size > 0) await new Promise<void>(resolve => (emptied = resolve));
      await worker.terminate();
    },
  };
}
