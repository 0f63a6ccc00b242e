/** Greedy decoding over a compiled session of Heddle: weights as constants, the cache on the device, rewritten in place. */

import { openOnnx } from '@heddle/backend-onnx';
import { decoderWeights, firstTokens, greedy, positionOf } from '../decoder-shape.mjs';
import { decoderGraph, emptyCache } from '../heddle-decoder.mjs';
import { serve } from '../serve.mjs';

const i32 = (data, shape) => ({ dtype: 'i32', shape, data });

await serve(async ({ threads, dims, batch }) => {
  const { S, V } = dims;
  const backend = await openOnnx({ threads });
  const constants = Object.fromEntries(
    Object.entries(decoderWeights(dims)).map(([name, t]) => [name, { dtype: 'f32', ...t }]),
  );
  const from = performance.now();
  const graph = decoderGraph(dims, batch);
  const executable = await backend.compile(graph, { constants, name: 'decode' });
  const compileMs = performance.now() - from;
  let cache = {};
  for (const [name, t] of Object.entries(emptyCache(dims, batch))) cache[name] = await backend.upload(t);
  const names = Object.keys(cache);
  const donate = Object.fromEntries(names.map(name => [`${name}_next`, name]));
  const keep = Object.keys(donate);
  let tokens = firstTokens(dims, batch);
  return {
    info: { compileMs, explain: executable.explain() },
    prepare: i => positionOf(dims, i),
    async step(position) {
      const mask = { dtype: 'f32', shape: [S], data: new Float32Array(S).fill(-1e9, position + 1) };
      const feeds = {
        ...cache,
        mask,
        ids: i32(tokens, [batch]),
        position: i32(new Int32Array(batch).fill(position), [batch, 1]),
      };
      const { outputs, kept } = await executable.run(feeds, { keep, donate });
      cache = Object.fromEntries(names.map(name => [name, kept[`${name}_next`]]));
      const { data } = outputs.logits;
      tokens = greedy(data, V);
      return [tokens[0], Math.max(...data.subarray(0, 64))];
    },
  };
});
