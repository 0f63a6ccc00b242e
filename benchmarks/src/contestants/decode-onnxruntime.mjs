/** Greedy decoding over the hand-built graph: plain operators, the cache in JavaScript's memory, new rows copied in. */

import ort from 'onnxruntime-node';
import { firstTokens, greedy, positionOf } from '../decoder-shape.mjs';
import { buildDecoder } from '../handbuilt/llama.mjs';
import { sessionOptions } from '../onnxruntime.mjs';
import { serve } from '../serve.mjs';

const float = (data, shape) => new ort.Tensor('float32', data, shape);
const int = (data, shape) => new ort.Tensor('int64', BigInt64Array.from(data, BigInt), shape);

await serve(async ({ threads, dims, batch }) => {
  const { V, D, L, H, G, S } = dims;
  const d = D / H;
  const from = performance.now();
  const session = await ort.InferenceSession.create(buildDecoder(dims, batch), sessionOptions(threads));
  const info = { buildAndSessionMs: performance.now() - from };
  const pairs = Array.from({ length: L }, (_, l) => [
    [`key${l}`, `keys${l}`],
    [`value${l}`, `values${l}`],
  ]).flat();
  const cache = Object.fromEntries(
    // Filled, so that each page is memory of its own: what was never written reads as one page of zeros, out of the cache.
    pairs.map(([, name]) => [name, float(new Float32Array(batch * G * S * d).fill(0), [batch, G, S, d])]),
  );
  let tokens = firstTokens(dims, batch);

  const append = (results, position) => {
    for (const [fresh, old] of pairs) {
      const rows = results[fresh].data;
      const all = cache[old].data;
      for (let r = 0; r < batch * G; r++) all.set(rows.subarray(r * d, (r + 1) * d), (r * S + position) * d);
    }
  };
  return {
    info,
    prepare: i => positionOf(dims, i),
    async step(position) {
      // The last cell is the new token itself, which the graph scores apart from the cache.
      const mask = new Float32Array(S + 1).fill(-1e9, position, S);
      const feeds = {
        ...cache,
        ids: int(tokens, [batch, 1]),
        position: int(new Int32Array(batch).fill(position), [batch, 1]),
        mask: float(mask, [1, 1, 1, S + 1]),
      };
      const results = await session.run(feeds);
      append(results, position);
      const { data } = results.logits;
      tokens = greedy(data, V);
      return [tokens[0], Math.max(...data.subarray(0, 64))];
    },
  };
});
