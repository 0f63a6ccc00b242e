/** The reference step through Heddle. */

import { batch, openStep } from '../reference-step.mjs';
import { openEngine } from '../open-engine.mjs';
import { serve } from '../serve.mjs';

await serve(async options => {
  const { dims } = options;
  const step = await openStep(await openEngine(options), dims);
  return {
    info: { explain: step.explain, traceMs: step.traceMs, compileMs: step.compileMs },
    prepare: i => ({ i, data: batch(dims, i % 12) }),
    step: ({ i, data }) => step.run(i, data),
  };
});
