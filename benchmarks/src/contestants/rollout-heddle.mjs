/** Sampling as reinforcement learning does it: prompts answered by rl-grpo over a session of transformer. */

import { openOnnx } from '@heddle/backend-onnx';
import { initialise } from '@heddle/core';
import { parallelRollouts } from '@heddle/rl-grpo';
import { createDecoder, createProgram, openSession } from '@heddle/transformer';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims, batch, prompt, tokens }) => {
  const { V, D, L, H, G, F, S } = dims;
  const backend = await openOnnx({ threads });
  const model = createDecoder({ vocabulary: V, length: S, width: D, depth: L, heads: H, keyHeads: G, hidden: F });
  const program = createProgram({ model, params: initialise(model, 0), backend }, batch, prompt + tokens + 1);
  const session = await openSession(program, [prompt]);
  const prompts = Array.from({ length: batch }, (_, b) => Array.from({ length: prompt }, (_, i) => ((b * prompt + i) * 7) % V)); // prettier-ignore
  // No token ends a text, and none opens a block: every answer has its full length.
  const none = -1;
  const tags = { path: none, endPath: none, parallel: none, endParallel: none, summary: none, endSummary: none };
  let seed = 0;
  return {
    async step() {
      const answers = await parallelRollouts(session, prompts, { tags, endOfText: none, newline: [], responseLength: tokens, maxBlocks: 0, seed: seed++, version: 0 }); // prettier-ignore
      return answers[0].ids.length - prompt;
    },
  };
});
