/** C = A B by onnxruntime-node as its documentation says, into an output allocated once. */

import ort from 'onnxruntime-node';
import { Model } from '../handbuilt/onnx.mjs';
import { sessionOptions } from '../onnxruntime.mjs';
import { serve } from '../serve.mjs';
import { matrix, repeatsOf } from '../sgemm-shape.mjs';

function model(n) {
  const m = new Model();
  m.input('a', 'f32', [n, n]);
  m.input('b', 'f32', [n, n]);
  m.many('MatMul', ['a', 'b'], { names: ['c'] });
  m.output('c', 'f32', [n, n]);
  return m.finish();
}

await serve(async ({ threads, sizes }) => {
  const cases = {};
  for (const n of sizes) {
    const tensor = data => new ort.Tensor('float32', data, [n, n]);
    const session = await ort.InferenceSession.create(model(n), sessionOptions(threads));
    cases[n] = {
      session,
      feeds: { a: tensor(matrix(n, 1)), b: tensor(matrix(n, 2)) },
      fetches: { c: tensor(new Float32Array(n * n)) },
    };
  }
  return {
    repeats: repeatsOf,
    async step(_, which) {
      const { session, feeds, fetches } = cases[which];
      for (let i = 0; i < repeatsOf(which); i++) await session.run(feeds, fetches);
    },
  };
});
