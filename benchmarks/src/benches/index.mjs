/**
 * The suite.
 *
 * A benchmark has a `name`, a `title`, a `share` of the time for its rounds at one number of threads (what it takes to open is not in it), `run(settings, log)` giving plain data, `render(data)`
 * giving Markdown, and `figures(data)` giving the numbers that predictions name.
 */

import * as adapter from './adapter.mjs';
import * as architecture from './architecture.mjs';
import * as bundle from './bundle.mjs';
import * as compile from './compile.mjs';
import * as decode from './decode.mjs';
import * as device from './device.mjs';
import * as fork from './fork.mjs';
import * as memory from './memory.mjs';
import * as multi30k from './multi30k.mjs';
import * as policy from './policy.mjs';
import * as rollout from './rollout.mjs';
import * as routing from './routing.mjs';
import * as score from './score.mjs';
import * as overhead from './overhead.mjs';
import * as translate from './translate.mjs';
import * as sgemm from './sgemm.mjs';
import * as step from './step.mjs';

export const benches = [
  sgemm,
  step,
  architecture,
  decode,
  compile,
  overhead,
  memory,
  score,
  policy,
  rollout,
  translate,
  fork,
  adapter,
  routing,
  device,
  multi30k,
  bundle,
];
