/** C = A B through Heddle: operands and result stay where the engine keeps them. */

import { f32, trace } from '@heddle/core';
import { openEngine } from '../open-engine.mjs';
import { serve } from '../serve.mjs';
import { matrix, repeatsOf } from '../sgemm-shape.mjs';

await serve(async options => {
  const backend = await openEngine(options);
  const { sizes, repeats = {} } = options;
  const times = which => repeats[which] ?? repeatsOf(which);
  const onDevice = !backend.name.endsWith(':cpu');
  const cases = {};
  for (const n of sizes) {
    const graph = trace({ a: f32(n, n), b: f32(n, n) }, ({ a, b }) => ({ c: a.matmul(b) }));
    const corner = trace({ c: f32(n, n) }, ({ c }) => ({ y: c.slice(0, n - 1, n).slice(1, n - 1, n) }));
    const upload = seed => backend.upload({ dtype: 'f32', shape: [n, n], data: matrix(n, seed) });
    cases[n] = {
      executable: await backend.compile(graph),
      // One cell read back: a device has then done all that it was given.
      corner: onDevice ? await backend.compile(corner) : null,
      a: await upload(1),
      b: await upload(2),
    };
  }
  return {
    info: { engine: cases[sizes[0]].executable.explain().split('\n')[0] },
    repeats: times,
    async step(_, which) {
      const { executable, corner, a, b } = cases[which];
      let cell = null;
      for (let i = 0; i < times(which); i++) {
        const { kept } = await executable.run({ a, b }, { keep: ['c'] });
        if (corner && i === times(which) - 1) {
          const { outputs } = await corner.run({ c: kept.c });
          cell = outputs.y.data[0];
        }
        kept.c.close();
      }
      return cell;
    },
  };
});
