/** Many steps of a small model through the training loop, with the memory after each stretch of them. */

import { openOnnx } from '@heddle/backend-onnx';
import { loop } from '@heddle/core';
import { batch, model, objective, optimizer, rate, weights } from '../reference-step.mjs';
import { serve, Skip } from '../serve.mjs';

/** Batches without end: the loop stops by its count of steps. */
const dataOf = dims => {
  let count = 0;
  return {
    next: async () => ({ batch: batch(dims, count % 12), tokens: dims.B * dims.T, cursor: count++ }),
    seek: async cursor => {
      count = cursor;
    },
    close: async () => {},
  };
};

const columns = ['step', 'loss', 'rss', 'heapUsed', 'external', 'arrayBuffers', 'live'];

/** What is seen goes into memory taken beforehand: objects kept for each look would be growth of our own. */
function record(looks) {
  const cells = new Float64Array(looks * columns.length);
  let row = 0;
  return {
    look(event, backend) {
      globalThis.gc();
      const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
      cells.set([event.step, event.loss, rss, heapUsed, external, arrayBuffers, backend.live()], row * columns.length);
      row++;
    },
    rows: () =>
      Array.from({ length: row }, (_, r) =>
        Object.fromEntries(columns.map((name, c) => [name, cells[r * columns.length + c]])),
      ),
  };
}

await serve(async ({ threads, dims, steps, every }) => {
  if (!globalThis.gc) throw new Skip('needs --expose-gc');
  const backend = await openOnnx({ threads });
  return {
    async step() {
      const plan = {
        name: 'memory',
        model: model(dims),
        objective,
        optimizer,
        schedule: () => rate,
        data: dataOf(dims),
        backend,
        steps,
        initial: weights(dims),
      };
      const seen = record(Math.ceil(steps / every));
      for await (const event of loop(plan, new AbortController().signal)) {
        if (event.type === 'step.finished' && event.step % every === 0) seen.look(event, backend);
      }
      return seen.rows();
    },
  };
});
