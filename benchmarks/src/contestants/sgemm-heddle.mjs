/** C = A B through Heddle: operands and result stay where the engine keeps them. */

import { f32, trace } from '@heddle/core';
import { openOnnx } from '@heddle/backend-onnx';
import { serve } from '../serve.mjs';
import { matrix, repeatsOf } from '../sgemm-shape.mjs';

await serve(async ({ threads, sizes }) => {
  const backend = await openOnnx({ threads });
  const cases = {};
  for (const n of sizes) {
    const graph = trace({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ c: a.matmul(b) }));
    const upload = seed => backend.upload({ dtype: 'f32', shape: [n, n], data: matrix(n, seed) });
    cases[n] = { executable: await backend.compile(graph), a: await upload(1), b: await upload(2) };
  }
  return {
    info: { binding: cases[sizes[0]].executable.explain().split('\n')[0] },
    repeats: repeatsOf,
    async step(_, which) {
      const { executable, a, b } = cases[which];
      for (let i = 0; i < repeatsOf(which); i++) {
        const { kept } = await executable.run({ a, b }, { keep: ['c'] });
        kept.c.close();
      }
    },
  };
});
