/** Paths that fork from one prefix: all of them decoded together, a token each a run. */

import { openOnnx } from '@heddle/backend-onnx';
import { initialise } from '@heddle/core';
import { createDecoder, createProgram, openSession } from '@heddle/transformer';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, paths: count, prefix, tokens }) => {
  const { V, D, L, H, G, F } = dims;
  const backend = await openOnnx({ threads });
  const places = prefix + count * tokens + 1;
  const model = createDecoder({ vocabulary: V, length: prefix + tokens, width: D, depth: L, heads: H, keyHeads: G, hidden: F }); // prettier-ignore
  const program = createProgram({ model, params: initialise(model, 0), backend }, 1, places);
  const session = await openSession(program, [...new Set([count, 64])]);
  const first = session.open(0);
  await session.feed([{ path: first, ids: Array.from({ length: prefix }, (_, i) => (i * 7) % V) }]);
  return {
    /** From the fork to the join. */
    async step() {
      const forks = Array.from({ length: count }, () => session.fork(first));
      let ids = forks.map((_, k) => k);
      for (let i = 0; i < tokens; i++) {
        const outlooks = await session.feed(forks.map((path, k) => ({ path, ids: [ids[k]] })));
        ids = outlooks.map(({ logits, peak }) => logits.indexOf(peak));
      }
      for (const fork of forks) session.release(fork);
      return count * tokens;
    },
  };
});
