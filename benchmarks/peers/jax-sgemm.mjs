/** C = A B by jax-js. */

import { serve } from '../src/serve.mjs';
import { matrix, repeatsOf } from '../src/sgemm-shape.mjs';
import { openJax } from './jax.mjs';

await serve(async ({ sizes }) => {
  const { numpy, blockUntilReady } = await openJax();
  const cases = Object.fromEntries(
    sizes.map(n => [n, [1, 2].map(seed => numpy.array(matrix(n, seed)).reshape([n, n]))]),
  );
  return {
    repeats: repeatsOf,
    async step(_, which) {
      const [a, b] = cases[which];
      for (let i = 0; i < repeatsOf(which); i++) {
        // A function takes its arguments: `.ref` keeps ours.
        const c = await blockUntilReady(numpy.matmul(a.ref, b.ref));
        c.dispose();
      }
    },
  };
});
