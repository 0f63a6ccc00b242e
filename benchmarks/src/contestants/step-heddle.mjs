/** The reference step through Heddle. */

import { openOnnx } from '@heddle/backend-onnx';
import { batch, openStep } from '../reference-step.mjs';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, binding }) => {
  const backend = await openOnnx({ threads, binding });
  const step = await openStep(backend, dims);
  return {
    info: { explain: step.explain, traceMs: step.traceMs, compileMs: step.compileMs },
    prepare: i => ({ i, data: batch(dims, i % 12) }),
    step: ({ i, data }) => step.run(i, data),
  };
});
