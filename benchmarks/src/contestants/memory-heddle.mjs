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

const look = backend => {
  globalThis.gc();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return { rss, heapUsed, external, arrayBuffers, live: backend.live() };
};

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
      const samples = [];
      for await (const event of loop(plan, new AbortController().signal)) {
        if (event.type === 'step.finished' && event.step % every === 0)
          samples.push({ step: event.step, loss: event.loss, ...look(backend) });
      }
      return samples;
    },
  };
});
