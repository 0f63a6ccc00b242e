/** From nothing to the first step, in a fresh process: what a person waits for. */

import { serve } from '../serve.mjs';

await serve(async ({ threads, dims }) => {
  const began = performance.now();
  const { openOnnx } = await import('@heddle/backend-onnx');
  const { batch, openStep } = await import('../reference-step.mjs');
  const imported = performance.now();
  const backend = await openOnnx({ threads });
  const opened = performance.now();
  const { traceMs, compileMs, explain, run } = await openStep(backend, dims);
  const data = batch(dims, 0);
  const from = performance.now();
  await run(0, data);
  const firstMs = performance.now() - from;
  const again = await openStep(backend, dims);
  const [, lowerMs, loadMs] = explain.match(/lowered in (\d+) ms.*loaded in (\d+) ms/)?.map(Number) ?? [];
  return {
    info: {
      importMs: imported - began,
      openMs: opened - imported,
      traceMs,
      lowerMs: lowerMs ?? null,
      loadMs: loadMs ?? null,
      compileMs,
      firstMs,
      warmTotalMs: again.traceMs + again.compileMs,
      explain,
    },
    step: () => null,
  };
});
