/** Greedy decoding by the generator of `@heddle/transformer`: its session, as its own loop uses it. */

import { openOnnx } from '@heddle/backend-onnx';
import { parameterTypes } from '@heddle/core';
import * as transformer from '@heddle/transformer';
import { decoderWeights, firstTokens, positionOf } from '../decoder-shape.mjs';
import { serve, Skip } from '../serve.mjs';

/** Our matrices by the ends of the model's parameter names. */
const places = [
  [/^embed\.weight$/, () => 'embedding'],
  [/^blocks\.(\d+)\.attention\.(q|k|v|o)\w*\.weight$/, (_, l, letter) => `${letter}${l}`],
  [/^blocks\.(\d+)\.ffn\.(up|gate|down)\.weight$/, (_, l, name) => `${name}${l}`],
];

function parametersOf(model, dims) {
  const drawn = decoderWeights(dims);
  return Object.fromEntries(
    Object.entries(parameterTypes(model)).map(([name, { shape }]) => {
      if (shape.length === 1) return [name, { dtype: 'f32', shape, data: new Float32Array(shape[0]).fill(1) }];
      const place = places.find(([pattern]) => pattern.test(name));
      if (!place) throw new Error(`no weights for ${name}`);
      const { data } = drawn[name.replace(place[0], place[1])];
      return [name, { dtype: 'f32', shape, data }];
    }),
  );
}

await serve(async ({ threads, dims, batch }) => {
  const { createDecoder, createGenerator } = transformer;
  if (!createDecoder || !createGenerator) throw new Skip('@heddle/transformer has no createGenerator');
  const { V, D, L, H, G, F, S } = dims;
  const backend = await openOnnx({ threads });
  const model = createDecoder({
    vocabulary: V,
    length: S,
    width: D,
    depth: L,
    heads: H,
    keyHeads: G,
    hidden: F,
    epsilon: 1e-6,
  });
  const generator = createGenerator({
    model,
    params: parametersOf(model, dims),
    backend,
    batch,
    capacity: S - 1,
    prefillLengths: [],
  });
  const session = await generator.session();
  const open = () => Array.from({ length: batch }, (_, slot) => session.open(slot));
  let paths = [];
  let tokens = firstTokens(dims, batch);
  return {
    prepare(i) {
      // The last place is the session's own.
      if (positionOf({ S: S - 1 }, i) > 0) return;
      paths.forEach(path => session.release(path));
      paths = open();
    },
    async step() {
      const outlooks = await session.feed(paths.map((path, slot) => ({ path, ids: [tokens[slot]] })));
      tokens = Int32Array.from(outlooks, ({ logits, peak }) => logits.indexOf(peak));
      return [tokens[0], Math.max(...outlooks[0].logits.subarray(0, 64))];
    },
  };
});
