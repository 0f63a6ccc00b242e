/** A training step of one of the architectures, through the trainer of `@heddle/core`. */

import { openOnnx } from '@heddle/backend-onnx';
import { adam, countParameters, host as tensor, loop, nextToken } from '@heddle/core';
import { createModel, host, rate, weights } from '../architecture-shape.mjs';
import { batch } from '../reference-step.mjs';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, model: key }) => {
  const { B, T } = dims;
  const model = createModel(key, dims);
  const mask = tensor([B, T], new Float32Array(B * T).fill(1));
  let number = 0;
  const run = loop(
    {
      name: key,
      model,
      objective: nextToken(),
      optimizer: adam({ betas: [0.9, 0.999], epsilon: 1e-8 }),
      schedule: () => rate,
      data: {
        async next() {
          return { batch: { ...batch(dims, number++ % 12), mask }, tokens: B * T, cursor: number };
        },
        async seek() {},
        async close() {},
      },
      backend: await openOnnx({ threads }),
      kernels: host.kernels,
      steps: 1e6,
      clip: null,
      initial: weights(model),
    },
    new AbortController().signal,
  );
  return {
    info: { parameters: countParameters(model) },
    async step() {
      for (;;) {
        const { value } = await run.next();
        if (value.type === 'step.finished') return value.loss;
      }
    },
  };
});
