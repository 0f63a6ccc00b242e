/** The worker: onnxruntime-node blocks its thread while it runs, so it gets one of its own. */

import { parentPort, workerData } from 'node:worker_threads';
import { isHeddleError, type HostTensor } from '@heddle/core';
import { isHeld, type Held, type Program } from './engine.js';
import type { Ask, Reply, Ticket, WorkerSetup } from './messages.js';
import { openScript, type OrtModule } from './script.js';

const port = parentPort!;
const setup = workerData as WorkerSetup;
const ort = (await import('onnxruntime-node')) as unknown as OrtModule;
const engine = openScript(ort, { ...setup, binding: '' });
const programs = new Map<number, Program>();
const held = new Map<number, Held>();
let count = 0;

const ticketOf = (tensor: Held): Ticket => {
  held.set(++count, tensor);
  return { ticket: count, type: tensor.type };
};
const isTicket = (t: HostTensor | Ticket): t is Ticket => 'ticket' in t;

async function answer(ask: Ask): Promise<unknown> {
  switch (ask.call) {
    case 'load':
      programs.set(++count, await engine.load(ask.model, ask.face));
      return count;
    case 'run': {
      const inputs = Object.fromEntries(
        Object.entries(ask.inputs).map(([n, t]) => [n, isTicket(t) ? held.get(t.ticket)! : t]),
      );
      const { outputs, kept } = await programs.get(ask.program)!.run({ inputs, keep: ask.keep, donate: ask.donate });
      for (const input of Object.values(ask.donate)) held.delete((ask.inputs[input] as Ticket).ticket);
      return { outputs, kept: Object.fromEntries(Object.entries(kept).map(([n, t]) => [n, ticketOf(t)])) };
    }
    case 'unload':
      await programs.get(ask.program)!.close();
      return programs.delete(ask.program);
    case 'hold':
      return ticketOf(await engine.hold(ask.host));
    case 'read':
      return engine.read(held.get(ask.held.ticket)!);
    case 'release':
      engine.release(held.get(ask.held.ticket)!);
      return held.delete(ask.held.ticket);
  }
}

/** Arrays in an answer are ours alone: they move instead of being copied. */
function buffersOf(result: unknown): ArrayBuffer[] {
  const tensors =
    result && typeof result === 'object'
      ? [result, ...Object.values((result as { outputs?: object }).outputs ?? {})]
      : [];
  return tensors.flatMap(t =>
    'data' in (t as object) && !isHeld(t as HostTensor) ? [(t as HostTensor).data.buffer as ArrayBuffer] : [],
  );
}

port.on('message', ({ id, ask }: { readonly id: number; readonly ask: Ask }) => {
  answer(ask).then(
    result => port.postMessage({ id, result } satisfies Reply, buffersOf(result)),
    (error: unknown) =>
      port.postMessage({
        id,
        error: {
          code: isHeddleError(error) ? error.code : 'E_ENGINE',
          message: error instanceof Error ? error.message : String(error),
        },
      } satisfies Reply),
  );
});
