/** Sentences translated greedily by a generator of `@heddle/transformer`. */

import { openOnnx } from '@heddle/backend-onnx';
import { countParameters } from '@heddle/core';
import { createGenerator } from '@heddle/transformer';
import { weights } from '../architecture-shape.mjs';
import { serve } from '../serve.mjs';
import { createModel, sources } from '../translation-shape.mjs';

await serve(async ({ threads, dims }) => {
  const { S, T, batch, sentences, tokens } = dims;
  const model = createModel(dims);
  const backend = await openOnnx({ threads });
  const generator = createGenerator({ model, params: weights(model), backend, batch, capacity: T, sourceCapacity: S });
  const given = sources(dims);
  const prompts = Array.from({ length: sentences }, () => [1]);
  return {
    info: { parameters: countParameters(model) },
    async step() {
      const texts = await generator.complete(prompts, { sources: given, temperature: 0, maxTokens: tokens });
      return texts.reduce((sum, { ids }) => ids.reduce((rest, id) => (rest * 31 + id) % 1_000_003, sum), 0);
    },
  };
});
