/** C = A B by TensorFlow.js. */

import { serve } from '../src/serve.mjs';
import { matrix, repeatsOf } from '../src/sgemm-shape.mjs';
import { openTensorFlow } from './tfjs.mjs';

await serve(async ({ sizes }) => {
  const tf = await openTensorFlow();
  const cases = Object.fromEntries(sizes.map(n => [n, [1, 2].map(seed => tf.tensor2d(matrix(n, seed), [n, n]))]));
  return {
    info: { tfjs: tf.version.tfjs },
    repeats: repeatsOf,
    step(_, which) {
      const [a, b] = cases[which];
      for (let i = 0; i < repeatsOf(which); i++) tf.matMul(a, b).dispose();
    },
  };
});
