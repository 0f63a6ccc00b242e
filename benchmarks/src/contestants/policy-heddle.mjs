/** GRPO by `policyData` and the trainer of `@heddle/core`: one optimizer step a turn, with the answers that it learns from. */

import { openOnnx } from '@heddle/backend-onnx';
import { adamW, initialise, loop } from '@heddle/core';
import { lossConfig, policyData, policyTraining, sequentialStrategy } from '@heddle/rl-grpo';
import { createDecoder, createProgram, openSession } from '@heddle/transformer';
import { ends, promptOf, worth } from '../policy-shape.mjs';
import { serve } from '../serve.mjs';

await serve(async ({ threads, dims }) => {
  const { V, D, L, H, F, prompts, group, promptLength, length } = dims;
  const backend = await openOnnx({ threads });
  const T = promptLength + length;
  const model = createDecoder({ vocabulary: V, length: T, width: D, depth: L, heads: H, hidden: F, epsilon: 1e-6 });
  const config = lossConfig({ aggregation: 'seq-mean-token-mean', groupSize: group });
  // Tags that no answer has: the strategy reads none.
  const tags = { path: V, endPath: V, parallel: V, endParallel: V, summary: V, endSummary: V };
  const answers = prompts * group;
  let seen = null;
  const data = policyData({
    task: index => ({ prompt: '', ids: promptOf(dims, index), answer: null }),
    decode: ids => ids.join(' '),
    async open(params) {
      const program = createProgram({ model, params, backend }, answers, T + 1);
      const session = await openSession(program, [promptLength]);
      return {
        session,
        async close() {
          await session.close();
          await program.close();
        },
      };
    },
    strategy: sequentialStrategy({ tags, endOfText: ends.end, newline: [], responseLength: length }),
    reward: ({ completion }) => worth(completion.split(' ').map(Number)),
    config,
    prompts,
    shape: { batch: answers, length: T, scored: length },
    responseLength: length,
    seed: 0,
    see: report => (seen = report),
  });
  const run = loop(
    {
      name: 'policy',
      model,
      objective: policyTraining(model, config, length),
      optimizer: adamW({ weightDecay: 0 }),
      schedule: () => 1e-4,
      data,
      backend,
      steps: 1e6,
      clip: 1,
      initial: initialise(model, 0),
    },
    new AbortController().signal,
  );
  return {
    async step() {
      for (;;) {
        const { value } = await run.next();
        if (value.type === 'step.finished') break;
      }
      return seen.answers.reduce((sum, { ids, promptLength: own }) => sum + ids.length - own, 0);
    },
  };
});
