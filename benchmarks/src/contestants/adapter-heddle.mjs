/** A training step of a decoder through the trainer of `@heddle/core`: of all of it, or of an adapter beside its linear layers. */

import { openOnnx } from '@heddle/backend-onnx';
import { adamW, host, initialise, loop, nextToken } from '@heddle/core';
import { isLoraPath, withLora } from '@heddle/mmt-merge';
import { createDecoder } from '@heddle/transformer';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, rank }) => {
  const { V, D, L, H, F, B, T } = dims;
  const backend = await openOnnx({ threads });
  const whole = createDecoder({ vocabulary: V, length: T, width: D, depth: L, heads: H, hidden: F, epsilon: 1e-6 });
  const model = rank === null ? whole : withLora(whole, { rank });
  let number = 0;
  const ids = shift =>
    host(
      [B, T],
      Int32Array.from({ length: B * T }, (_, i) => ((i + shift + number) * 7919) % V),
      'i32',
    );
  const run = loop(
    {
      name: 'adapter',
      model,
      objective: nextToken(),
      optimizer: adamW({ weightDecay: 0 }),
      schedule: () => 1e-4,
      data: {
        async next() {
          number++;
          const mask = host([B, T], new Float32Array(B * T).fill(1));
          return { batch: { ids: ids(0), targets: ids(1), mask }, tokens: B * T, cursor: number };
        },
        async seek() {},
        async close() {},
      },
      backend,
      steps: 1e6,
      clip: 1,
      initial: initialise(model, 0),
      ...(rank === null ? {} : { trains: isLoraPath }),
    },
    new AbortController().signal,
  );
  return {
    async step() {
      for (;;) {
        const { value } = await run.next();
        if (value.type === 'step.finished') return value.loss;
      }
    },
  };
});
