/**
 * Steps through Heddle beside the engine's run alone: the same session, the same bound memory, no host work. The engine
 * alone repeats the step that was just made, into the same outputs, and so changes nothing.
 */

import { openOnnx } from '@heddle/backend-onnx';
import { watchEngine } from '../engine-call.mjs';
import { batch, openStep } from '../reference-step.mjs';
import { serve, Skip } from '../serve.mjs';

await serve(async ({ threads, dims }) => {
  const engine = await watchEngine();
  const backend = await openOnnx({ threads, binding: 'c-api' });
  const step = await openStep(backend, dims);
  await step.run(0, batch(dims, 0));
  if (!engine.last) throw new Skip('no native call of the engine was seen');
  let count = 0;
  return {
    prepare: (_, which) => (which === 'engine' ? null : batch(dims, ++count % 12)),
    async step(data, which) {
      if (which === 'engine') return engine.last();
      const before = engine.spent;
      const from = performance.now();
      await step.run(count, data);
      return { wall: performance.now() - from, engine: engine.spent - before };
    },
  };
});
