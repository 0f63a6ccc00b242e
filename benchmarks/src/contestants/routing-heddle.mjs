/** Greedy texts of one batch: by one adapter folded into the base, by an adapter of its own for each text, or one text at a time. */

import { openOnnx } from '@heddle/backend-onnx';
import { initialise } from '@heddle/core';
import { foldLora, isLoraPath, loraOf, stackLora, withLora } from '@heddle/mmt-merge';
import { createDecoder, createGenerator } from '@heddle/transformer';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, batch, prompt, tokens, rank, how }) => {
  const { V, D, L, H, G, F, S } = dims;
  const backend = await openOnnx({ threads });
  const base = createDecoder({ vocabulary: V, length: S, width: D, depth: L, heads: H, keyHeads: G, hidden: F });
  const model = withLora(base, { rank });
  const first = initialise(model, 0);
  const weights = Object.fromEntries(Object.entries(first).filter(([path]) => !isLoraPath(path)));
  const adapters = Array.from({ length: batch }, (_, k) => loraOf(initialise(model, k + 1)));
  const folded = adapter => foldLora(weights, adapter, { rank });
  const prompts = Array.from({ length: batch }, (_, b) => Array.from({ length: prompt }, (__, i) => ((b * prompt + i) * 7) % V)); // prettier-ignore
  const open = (of, params, more = {}) => createGenerator({ model: of, params, backend, batch, capacity: prompt + tokens + 1, prefillLengths: [prompt], ...more }); // prettier-ignore
  const generators =
    how === 'routed'
      ? [open(model, weights, { variants: stackLora(adapters) })]
      : how === 'folded'
        ? [open(base, folded(adapters[0]))]
        : adapters.map(adapter => open(base, folded(adapter), { batch: 1 }));
  const options = { temperature: 0, maxTokens: tokens };
  return {
    async step() {
      const all =
        how === 'apart'
          ? await Promise.all(generators.map((generator, k) => generator.complete([prompts[k]], options)))
          : [await generators[0].complete(prompts, how === 'routed' ? { ...options, variants: prompts.map((_, k) => k) } : options)]; // prettier-ignore
      return all.flat().reduce((sum, { ids }) => sum + ids.length, 0);
    },
  };
});
